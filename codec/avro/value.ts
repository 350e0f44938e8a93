import type { JsonObject } from '../document.ts';
import { MAX_DEPTH, MAX_RECORD_BYTES } from '../limits.ts';
import { Reason } from '../reasons.ts';
import { bare, Refusal, UNDECODABLE } from '../wire-document.ts';
import type { AvroCursor } from './cursor.ts';
import type { AvroRecordType, AvroType } from './schema.ts';

/** A record of any schema, with its type. In Avro null is how a part is absent: such parts are left out. */
export class AvroRecord {
  readonly type: AvroRecordType;
  readonly values: JsonObject = bare();

  constructor(type: AvroRecordType) {
    this.type = type;
  }
}

/** An item takes at least a byte, but for those of types that are always the same. */
const MAX_EMPTY_ITEMS = 1024;

const TOO_DEEP = new Refusal(Reason.too_deep);

/** Reads values of any schema: records as {@link AvroRecord}, maps as bare objects, bytes as base 64. */
export class AvroValueReader {
  private readonly cursor: AvroCursor;
  /** Values may be empty, so their number is bounded on its own. */
  private budget = MAX_RECORD_BYTES;

  constructor(cursor: AvroCursor) {
    this.cursor = cursor;
  }

  read(type: AvroType, depth = 0): unknown {
    if (depth > MAX_DEPTH) throw TOO_DEEP;
    if (--this.budget < 0) throw UNDECODABLE;
    const { cursor } = this;
    switch (type.type) {
      case 'null':
        return null;
      case 'boolean':
        return cursor.boolean();
      case 'int':
        return cursor.long();
      case 'long':
        return type.isMicros ? Math.floor(cursor.long() / 1000) : cursor.long();
      case 'float':
        return cursor.float();
      case 'double':
        return cursor.double();
      case 'string':
        return cursor.text();
      case 'bytes':
        return cursor.base64(cursor.long());
      case 'fixed':
        return cursor.base64(type.size);
      case 'enum':
        return chosen(type.symbols, cursor.long());
      case 'union':
        return this.read(chosen(type.branches, cursor.long()), depth);
      case 'array':
        return this.array(type.items, depth);
      case 'map':
        return this.map(type.items, depth);
      case 'record':
        return this.record(type, depth);
    }
  }

  private record(type: AvroRecordType, depth: number): AvroRecord {
    const record = new AvroRecord(type);
    for (const field of type.fields) {
      const value = this.read(field.type, depth + 1);
      if (value !== null) record.values[field.name] = value;
    }
    return record;
  }

  private array(items: AvroType, depth: number): unknown[] {
    const values: unknown[] = [];
    for (let count = this.blockLength(); count > 0; count = this.blockLength()) {
      for (let i = 0; i < count; i++) values.push(this.read(items, depth + 1));
    }
    return values;
  }

  private map(items: AvroType, depth: number): JsonObject {
    const values = bare();
    for (let count = this.blockLength(); count > 0; count = this.blockLength()) {
      for (let i = 0; i < count; i++) {
        const key = this.cursor.text();
        values[key] = this.read(items, depth + 1);
      }
    }
    return values;
  }

  /** How many items the next block has; where the number is negative, its bytes are told too. */
  private blockLength(): number {
    const told = this.cursor.long();
    if (told < 0) this.cursor.long();
    const count = Math.abs(told);
    if (count > this.cursor.left + MAX_EMPTY_ITEMS) throw UNDECODABLE;
    return count;
  }
}

function chosen<T>(list: readonly T[], index: number): T {
  if (!(index >= 0 && index < list.length)) throw UNDECODABLE;
  return list[index];
}
