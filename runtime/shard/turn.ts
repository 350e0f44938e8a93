import type { Block } from '../../snapshots/block.ts';
import type { PartitionState } from '../../snapshots/contract.ts';
import type { ActorType, JudgedSchemas, LifecycleResult, Occupancy } from './contract.ts';
import type { FactChange, FactMap } from './facts.ts';
import type { KindRuntime } from './kind-runtime.ts';
import type { Cause } from './outputs.ts';
import type { Reading } from './reading.ts';
import type { Tally } from './tally.ts';
import type { EntryWriter } from './window-entry.ts';

/** Where an actor stands now, and where it stood. */
export interface Place {
  readonly siteId: string | null;
  readonly slot: string | null;
  readonly occupancies: readonly Occupancy[];
}

/** Place of the asset under the kind's cursor, as its lifecycle says. */
export interface Places {
  of(runtime: KindRuntime): Place;
  changed(runtime: KindRuntime, result: LifecycleResult): void;
}

/** What the parts of a turn (late readings, silence, lifecycle) need of the fold they belong to. */
export interface Turn {
  readonly type: ActorType;
  readonly state: PartitionState;
  readonly kinds: readonly KindRuntime[];
  readonly judged: JudgedSchemas;
  readonly horizonMs: number;
  /** The reading in hand. */
  readonly reading: Reading;
  readonly writer: EntryWriter;
  readonly tally: Tally;
  /** What the events of this turn name as their cause. */
  readonly cause: Cause;
  readonly whereabouts: Places;
  readonly onTouch: ((blockId: number, slot: number) => void) | null;
  readonly onFailure: ((kind: string, serial: string, error: unknown) => void) | null;
  change(block: Block): void;
  locate(runtime: KindRuntime, bytes: Uint8Array, start: number, end: number): 'known' | 'created' | 'kind_mismatch';
  say(runtime: KindRuntime, changes: readonly FactChange[]): void;
  /** Tells forwarded facts to those who shall hear of them, and to nobody else. */
  forward(runtime: KindRuntime, facts: FactMap | null): void;
}
