/** What a compressed batch may grow to, bytes. A batch beyond it was made to harm: brokers take about 1 MiB at a time. */
export const inflatedLimit = 128 * 1024 * 1024;

const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const XERIAL_HEADER_BYTES = 16;
const LZ4_MAGIC = 0x184d2204;
/** A byte of LZ4 stands for no more than so many. */
const LZ4_MAX_RATIO = 255;

/** Bytes that snappy, raw or in Xerial's frames, says it grows to. Throws beyond {@link inflatedLimit}. */
export function snappyBound(bytes: Buffer): number {
  if (!bytes.subarray(0, 8).equals(XERIAL_MAGIC)) return checked(unsignedVarint(bytes, 0));
  let sum = 0;
  for (let at = XERIAL_HEADER_BYTES; at + 4 <= bytes.length; ) {
    sum = checked(sum + unsignedVarint(bytes, at + 4));
    at += 4 + bytes.readUInt32BE(at);
  }
  return sum;
}

/** Bytes that the blocks of an LZ4 frame can grow to at most. Throws beyond {@link inflatedLimit}. */
export function lz4Bound(bytes: Buffer): number {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== LZ4_MAGIC) throw new Error('is no LZ4 frame');
  const flags = bytes[4];
  const blockBytes = 1 << (8 + 2 * ((bytes[5] >> 4) & 7));
  const blockChecksum = flags & 0x10 ? 4 : 0;
  let at = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0);
  let sum = 0;
  while (at + 4 <= bytes.length) {
    const word = bytes.readUInt32LE(at);
    if (word === 0) break;
    const size = word & 0x7fff_ffff;
    const isStored = word >= 0x8000_0000;
    sum = checked(sum + (isStored ? size : Math.min(blockBytes, size * LZ4_MAX_RATIO)));
    at += 4 + size + blockChecksum;
  }
  return sum;
}

function checked(size: number): number {
  if (size > inflatedLimit) throw new Error(`grows to ${size} bytes, more than the ${inflatedLimit} allowed`);
  return size;
}

function unsignedVarint(bytes: Buffer, from: number): number {
  let value = 0;
  for (let i = 0; i < 5 && from + i < bytes.length; i++) {
    value += (bytes[from + i] & 0x7f) * 2 ** (7 * i);
    if (bytes[from + i] < 0x80) return value;
  }
  throw new Error('ends within a length');
}
