import { crc32 } from 'node:zlib';
import { Packr } from 'msgpackr';

/**
 * One value as bytes: version, flags, msgpack, crc32 over key and value. The key is part of the checksum, so that a
 * value found under a damaged key is not taken for another one.
 */
const VERSION = 1;
const OVERHEAD = 6;
/** The value contains the text `__proto__`, which must not become a prototype when it is read. */
const HOSTILE = 1;

const packr = new Packr({ useRecords: false });
const mapPackr = new Packr({ useRecords: false, mapsAsObjects: false });
const hostileKey = Buffer.from('__proto__');

export function encodeRecord(key: Buffer, value: unknown): Buffer {
  const packed = packr.pack(value);
  const out = Buffer.allocUnsafe(packed.length + OVERHEAD);
  out[0] = VERSION;
  out[1] = packed.includes(hostileKey) ? HOSTILE : 0;
  out.set(packed, 2);
  out.writeUInt32LE(checksum(key, out), out.length - 4);
  return out;
}

/** The value, or undefined when the bytes cannot be trusted. */
export function decodeRecord(key: Buffer, bytes: Buffer | undefined): unknown {
  if (!recordMatches(key, bytes)) return undefined;
  const packed = bytes.subarray(2, -4);
  return bytes[1] & HOSTILE ? plain(mapPackr.unpack(packed)) : packr.unpack(packed);
}

export function recordMatches(key: Buffer, bytes: Buffer | undefined): bytes is Buffer {
  if (bytes === undefined || bytes.length <= OVERHEAD || bytes[0] !== VERSION) return false;
  return bytes.readUInt32LE(bytes.length - 4) === checksum(key, bytes);
}

function checksum(key: Buffer, record: Buffer): number {
  return crc32(record.subarray(0, -4), crc32(key));
}

/** Maps back to objects, with every key an own property. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof Map)) return value;
  const object = {};
  for (const [key, entry] of value) {
    Object.defineProperty(object, String(key), {
      value: plain(entry),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return object;
}
