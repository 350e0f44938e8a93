import type { AvroType } from './schema.ts';

const MAX_NESTING = 8;

/**
 * End (exclusive) of the value of a type that starts at `at`, without making anything of it; -1 where it does not end
 * before `stop`, or is nested deeper than lists of our records are.
 */
export function endOfAvro(type: AvroType, bytes: Uint8Array, at: number, stop: number, depth = 0): number {
  if (at < 0 || at > stop || depth > MAX_NESTING) return -1;
  switch (type.type) {
    case 'null':
      return at;
    case 'boolean':
      return within(at + 1, stop);
    case 'int':
    case 'long':
    case 'enum':
      return endOfLong(bytes, at, stop);
    case 'float':
      return within(at + 4, stop);
    case 'double':
      return within(at + 8, stop);
    case 'fixed':
      return within(at + type.size, stop);
    case 'string':
    case 'bytes':
      return bytes[at] < 0x80 && (bytes[at] & 1) === 0 ? within(at + 1 + (bytes[at] >>> 1), stop) : -1;
    case 'union': {
      const branch = type.branches[bytes[at] >>> 1];
      return branch !== undefined && (bytes[at] & 1) === 0 ? endOfAvro(branch, bytes, at + 1, stop, depth + 1) : -1;
    }
    case 'record': {
      let end = at;
      for (const field of type.fields) end = endOfAvro(field.type, bytes, end, stop, depth + 1);
      return end;
    }
    default:
      return endOfItems(type.type === 'map', type.items, bytes, at, stop, depth);
  }
}

const STRING: AvroType = { type: 'string' };

/** Blocks of at most 63 items, each begun by their number in one byte. */
function endOfItems(
  isMap: boolean,
  items: AvroType,
  bytes: Uint8Array,
  at: number,
  stop: number,
  depth: number,
): number {
  let end = at;
  for (;;) {
    const count = bytes[end];
    if (!(end >= 0 && end < stop) || count >= 0x80 || (count & 1) !== 0) return -1;
    end++;
    if (count === 0) return end;
    for (let i = 0; i < count >>> 1; i++) {
      if (isMap) end = endOfAvro(STRING, bytes, end, stop, depth + 1);
      end = endOfAvro(items, bytes, end, stop, depth + 1);
    }
  }
}

function endOfLong(bytes: Uint8Array, at: number, stop: number): number {
  for (let p = at; p < stop && p < at + 10; p++) if (bytes[p] < 0x80) return p + 1;
  return -1;
}

const within = (end: number, stop: number) => (end <= stop ? end : -1);
