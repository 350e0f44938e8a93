/**
 * Keys of a partition's LevelDB. Numbered keys begin with the snapshot number, so a snapshot is written in key order
 * and what a failed one left behind is one range.
 *
 *   M number                        manifest
 *   O number part                   keys that nobody needs once the next snapshot is durable
 *   N number type block slot        image, side record or lifecycle list
 *   W block position(48 bits)       segment of a block's window
 */
export const KeyType = { image: 1, side: 2, life: 3 } as const;
export type KeyType = (typeof KeyType)[keyof typeof KeyType];

export const NUMBERED_KEY_BYTES = 12;
const SEGMENT_KEY_BYTES = 11;

const [M, N, O, W] = [0x4d, 0x4e, 0x4f, 0x57];

export function manifestKey(number: number): Buffer {
  const key = Buffer.allocUnsafe(5);
  key[0] = M;
  key.writeUInt32BE(number, 1);
  return key;
}

export function obsoleteKey(number: number, part: number): Buffer {
  const key = Buffer.allocUnsafe(9);
  key[0] = O;
  key.writeUInt32BE(number, 1);
  key.writeUInt32BE(part, 5);
  return key;
}

export function numberedKey(number: number, type: KeyType, block: number, slot: number): Buffer {
  const key = Buffer.allocUnsafe(NUMBERED_KEY_BYTES);
  key[0] = N;
  key.writeUInt32BE(number, 1);
  key[5] = type;
  key.writeUInt32BE(block, 6);
  key.writeUInt16BE(slot, 10);
  return key;
}

/** First key of everything written under `number`. */
export function numberedStart(number: number): Buffer {
  const key = Buffer.alloc(NUMBERED_KEY_BYTES);
  key[0] = N;
  key.writeUInt32BE(number, 1);
  return key;
}

export function segmentKey(block: number, position: number): Buffer {
  const key = Buffer.allocUnsafe(SEGMENT_KEY_BYTES);
  key[0] = W;
  key.writeUInt32BE(block, 1);
  key.writeUIntBE(position, 5, 6);
  return key;
}

export const manifestRange = { gte: Buffer.of(M), lt: Buffer.of(M + 1) };
export const numberedRange = { gte: Buffer.of(N), lt: Buffer.of(N + 1) };
export const obsoleteRange = { gte: Buffer.of(O), lt: Buffer.of(O + 1) };

/** Snapshot number in a manifest, obsolete or numbered key. */
export function numberOf(key: Buffer): number {
  return key.readUInt32BE(1);
}

/** What a numbered key says, or null for another kind of key. */
export function placeOf(key: Buffer): { number: number; type: number; block: number; slot: number } | null {
  if (key[0] !== N || key.length !== NUMBERED_KEY_BYTES) return null;
  return { number: key.readUInt32BE(1), type: key[5], block: key.readUInt32BE(6), slot: key.readUInt16BE(10) };
}

export interface SegmentPlace {
  readonly block: number;
  readonly position: number;
}

/** What the key of a window's segment says, or null for another kind of key. */
export function segmentPlaceOf(key: Buffer): SegmentPlace | null {
  if (key[0] !== W || key.length !== SEGMENT_KEY_BYTES) return null;
  return { block: key.readUInt32BE(1), position: key.readUIntBE(5, 6) };
}
