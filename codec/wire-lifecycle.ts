import type { JudgedSchemas } from '../runtime/shard/contract.ts';
import { lifecycleFromAvro, lifecycleToAvro } from './avro/lifecycle.ts';
import { schemaOrNull } from './avro/schema.ts';
import { builtInTable } from './built-in.ts';
import { type JsonObject, parseObject } from './document.ts';
import { lifecycleFromFlatBuffers, lifecycleToFlatBuffers } from './flatbuffers/lifecycle.ts';
import { type LifecycleOutcome, lifecycleOf } from './lifecycle.ts';
import type { LifecycleDocument } from './lifecycle-parts.ts';
import { MAX_RECORD_BYTES } from './limits.ts';
import { lifecycleFromProtobuf, lifecycleToProtobuf } from './protobuf/lifecycle.ts';
import { REASONS, Reason } from './reasons.ts';
import { Routes } from './routes.ts';
import type { Format, ResolvedSchema, SchemaTable } from './wire.ts';

type Read = (bytes: Uint8Array, start: number, end: number) => JsonObject | number;

const fromJson: Read = (bytes, start, end) => parseObject(bytes, start, end, MAX_RECORD_BYTES);

/** Decodes lifecycle records of every format; the rules are those of `decodeLifecycle`. */
export class WireLifecycleDecoder {
  private readonly kinds: ReadonlySet<string> | undefined;
  private readonly routes: Routes<Read>;

  /** Without `kinds` any name is taken for a kind. `schemas` knows those that values name; default: those of this version. */
  constructor(kinds?: ReadonlySet<string>, schemas: SchemaTable = builtInTable) {
    this.kinds = kinds;
    this.routes = new Routes('lifecycle', schemas, readerOf);
  }

  /**
   * `timestamp` is when the log accepted the record, epoch milliseconds; schemas that are `judged` not to exist do not,
   * whatever the table says.
   */
  decode(bytes: Uint8Array, start: number, end: number, timestamp: number, judged?: JudgedSchemas): LifecycleOutcome {
    const doc = this.document(bytes, start, end, judged);
    return typeof doc === 'number' ? { ok: false, reason: REASONS[doc].code } : lifecycleOf(doc, timestamp, this.kinds);
  }

  private document(bytes: Uint8Array, start: number, end: number, judged?: JudgedSchemas): JsonObject | number {
    if (end === start || bytes[start] !== 0) return fromJson(bytes, start, end);
    const read = this.routes.of(bytes, start, end, judged);
    if (typeof read === 'number') return read;
    return end - this.routes.start > MAX_RECORD_BYTES ? Reason.too_large : read(bytes, this.routes.start, end);
  }
}

/** Null where the text of the schema is none. */
function readerOf({ format, text }: ResolvedSchema): Read | null {
  switch (format) {
    case 'json':
      return fromJson;
    case 'protobuf':
      return lifecycleFromProtobuf;
    case 'flatbuffers':
      return lifecycleFromFlatBuffers;
    case 'avro': {
      const schema = schemaOrNull(text);
      return schema === null ? null : (bytes, start, end) => lifecycleFromAvro(bytes, start, end, schema);
    }
  }
}

/** The record as bytes of a format, without header; they mean exactly what its JSON means. */
export function encodeLifecycle(record: LifecycleDocument, format: Format): Uint8Array {
  switch (format) {
    case 'json':
      return Buffer.from(JSON.stringify(record));
    case 'protobuf':
      return lifecycleToProtobuf(record);
    case 'avro':
      return lifecycleToAvro(record);
    case 'flatbuffers':
      return lifecycleToFlatBuffers(record);
  }
}
