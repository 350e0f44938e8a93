import { type JsonObject, parseObject } from './document.ts';
import { FastReader } from './fast.ts';
import type { TelemetryFormat } from './format.ts';
import { MAX_RECORD_BYTES } from './limits.ts';
import type { KindPlan } from './plan.ts';

/** JSON: the usual record straight from its bytes, what has escapes, non-ASCII, keys twice and so on by JSON.parse. */
export class JsonFormat extends FastReader implements TelemetryFormat {
  private readonly maxBytes: number;

  constructor(kinds: readonly KindPlan[], problems: Int32Array, maxBytes = MAX_RECORD_BYTES) {
    super(kinds, problems);
    this.maxBytes = maxBytes;
  }

  document(bytes: Uint8Array, start: number, end: number): JsonObject | number {
    return parseObject(bytes, start, end, this.maxBytes);
  }
}
