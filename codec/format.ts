import type { Reading } from '../runtime/shard/reading.ts';
import type { JsonObject } from './document.ts';

/** One way of writing telemetry records as bytes. */
export interface TelemetryFormat {
  /** Of the record that was read last: its serial in UTF-8 is bytes [serialStart, serialEnd) of the record's memory. */
  readonly serialStart: number;
  readonly serialEnd: number;
  /**
   * The fast path. True when bytes [start, end) were read into `reading` completely; false says "not my case", and what
   * was written to the reading and counted is void.
   */
  read(bytes: Uint8Array, start: number, end: number, timestamp: number, reading: Reading): boolean;
  /** The record as the document that JSON would be, or the index of the reason why it is none. */
  document(bytes: Uint8Array, start: number, end: number): JsonObject | number;
}
