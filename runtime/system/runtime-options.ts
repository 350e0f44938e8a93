import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../log/contract.ts';
import type { Membership } from '../log/membership.ts';
import type { ActorType } from '../shard/contract.ts';
import type { ShardObserver } from '../shard/shard.ts';
import type { FleetView, SinkStatus } from './engine.ts';

/** A sink at work, as the runtime sees it. */
export interface RunningSink {
  readonly name: string;
  status(): SinkStatus;
  /** Resolves when the target holds everything that stands in the derived topic now. */
  drained(): Promise<void>;
  /** Next offset of the derived topic that the target wants: nothing below it is needed any more. */
  next(partition: number): number;
}

export interface RuntimeOptions {
  /** Actor types in the order of the data's way: doors write to the first, each folds what those before it say. */
  readonly types: readonly ActorType[];
  readonly log: Log;
  /** The group that shares the partitions. Absent: this process has all of them. */
  readonly membership?: Membership;
  /** How long a partition that is handed over is waited for before it is claimed all the same. @default 5000 */
  readonly handoverTimeoutMs?: number;
  readonly clock: Clock;
  readonly dataDir: string;
  readonly commitIntervalMs: number;
  readonly snapshotIntervalMs: number;
  readonly snapshotRecords: number;
  readonly horizonMs: number;
  readonly blocksPerKind: number;
  readonly maxResidentBytes: number;
  readonly windowBytesPerBlock: number;
  /** Whether each snapshot is also kept in the log, for another owner. @default `log.shared` */
  readonly mirror?: boolean;
  /** Goes on where the log dropped records before they were folded. @default false */
  readonly acceptLoss?: boolean;
  readonly silenceOutageMs: number;
  readonly silenceGraceMs: number;
  readonly retentionMs: number;
  readonly retentionBytes: number | null;
  readonly observer: (type: ActorType) => ShardObserver;
  /** Adds the energy of the day, which the tables know and the shards do not. */
  readonly withEnergy?: (fleet: FleetView) => FleetView;
  readonly message: (level: 'info' | 'warn' | 'error', text: string, fields?: Record<string, unknown>) => void;
}
