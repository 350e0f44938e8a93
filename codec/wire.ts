/**
 * How a value says which format it is written in: the header that Confluent's serializers put before it, `00` and the
 * id of its schema as a big-endian 32-bit number; Protobuf adds the index of the message. JSON has no header.
 */

export type Format = 'json' | 'avro' | 'protobuf' | 'flatbuffers';

/** A schema of the registry: what a record says that was written with it. */
export interface ResolvedSchema {
  readonly id: number;
  readonly format: Format;
  readonly subject: 'telemetry' | 'lifecycle';
  /** The schema itself, as it was registered. */
  readonly text: string;
}

/** The schemas that are at hand without waiting; something else fills it before records are decoded. */
export interface SchemaTable {
  /** The schema of the id; `unknown` when the registry said that there is none; undefined when nobody asked yet. */
  get(id: number): ResolvedSchema | 'unknown' | undefined;
}

/** First byte of a value with a header. */
const MAGIC = 0;
const HEADER_BYTES = 5;

/** The id of the schema that bytes [start, end) were written with; -1 where they have no header. */
export function schemaIdOf(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < HEADER_BYTES || bytes[start] !== MAGIC) return -1;
  const id = (bytes[start + 1] << 24) | (bytes[start + 2] << 16) | (bytes[start + 3] << 8) | bytes[start + 4];
  return id < 0 ? -1 : id;
}

/**
 * The ids in the values of a batch that the table does not know yet; value i is bytes [starts[i], ends[i]), `from` and
 * `to` bound i.
 */
export function schemaIdsIn(
  bytes: Uint8Array,
  starts: ArrayLike<number>,
  ends: ArrayLike<number>,
  from: number,
  to: number,
  table: SchemaTable,
): ReadonlySet<number> {
  const ids = new Set<number>();
  for (let i = from; i < to; i++) {
    const id = schemaIdOf(bytes, starts[i], ends[i]);
    if (id >= 0 && !ids.has(id) && table.get(id) === undefined) ids.add(id);
  }
  return ids;
}

/** Where the message begins behind the id of a Protobuf schema; -1 where the header names another than the first. */
export function firstMessageAt(bytes: Uint8Array, start: number, end: number): number {
  const at = start + HEADER_BYTES;
  if (at >= end) return at;
  if (bytes[at] === 0) return at + 1;
  if (bytes[at] === 2 && bytes[at + 1] === 0) return at + 2;
  // No message begins with a byte below 8. Some writers leave the index out, and then that of the first is meant.
  return bytes[at] < 8 ? -1 : at;
}

/** Where the value begins behind its header; -1 where there is none of this schema. */
export function payloadAt(format: Format, bytes: Uint8Array, start: number, end: number): number {
  return format === 'protobuf' ? firstMessageAt(bytes, start, end) : start + HEADER_BYTES;
}

/** The value with its header. */
export function withHeader({ id, format }: Pick<ResolvedSchema, 'id' | 'format'>, value: Uint8Array): Uint8Array {
  const header = Buffer.alloc(format === 'protobuf' ? HEADER_BYTES + 1 : HEADER_BYTES);
  header.writeInt32BE(id, 1);
  return Buffer.concat([header, value]);
}
