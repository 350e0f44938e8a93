import { Packr } from 'msgpackr';

/**
 * How far a partition is: next offset per input topic, timers fired, next commit (journal offset) and the partition
 * clock. Encoded with each commit and each snapshot.
 */
export interface ShardPosition {
  telemetry: number;
  lifecycle: number;
  /** Timers fired so far; the "offset" of events that a timer caused. */
  timers: number;
  /** Offset after the journal record of the newest commit: where the journal is read on. */
  commit: number;
  /** Partition clock, epoch ms: never goes back. */
  clock: number;
  /** Raised when state was lost and had to start anew; the high part of every version. */
  epoch: number;
}

const packr = new Packr({ useRecords: false });
const FORMAT = 1;

export function startPosition(): ShardPosition {
  return { telemetry: 0, lifecycle: 0, timers: 0, commit: 0, clock: 0, epoch: 0 };
}

export function encodePosition(p: ShardPosition): Uint8Array {
  return packr.pack([FORMAT, p.telemetry, p.lifecycle, p.timers, p.commit, p.clock, p.epoch]);
}

export function decodePosition(bytes: Uint8Array): ShardPosition {
  const [format, telemetry, lifecycle, timers, commit, clock, epoch] = packr.unpack(bytes) as number[];
  if (format !== FORMAT) throw new RangeError(`position format ${format} is not known`);
  return { telemetry, lifecycle, timers, commit, clock, epoch };
}
