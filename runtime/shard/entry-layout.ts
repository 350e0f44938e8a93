import { lengthBytes } from '../../snapshots/window-length.ts';
import { doubleAt } from './value-code.ts';

/**
 * Entries of a block's window, little-endian, by asset (slot in the block) and device time:
 *
 *   length (window-length.ts) | slot u16 | flags u8 | times | txid, 7 bytes | content
 *
 * Times, by the lower two bits of the flags: device time in ms in six bytes, and the receive time as the u16 of what it
 * is behind that, plus 5,535, or in six bytes as well; else both as f64. In a base: only its device time, as f64; what
 * the asset was after all up to it follows (base.ts) in the place of the rest.
 *
 * Content is what makes two readings of one device time the same; its bytes and flags depend on nothing else:
 *
 *   more flags u8 | sequence number, u32 or f64 | present, invalid (1 to 4 bytes each) | values | extra
 *
 * What the flags do not name is not there. Values: value-code.ts; `extra` is MessagePack.
 */
export const Times = { near: 0, far: 1, wide: 2, base: 3 } as const;
export const TIMES = 3;
export const HAS_TXID = 4;
export const HAS_SEQ = 8;
/** Bytes of a mask less one, in two bits. */
export const MASK_SHIFT = 4;
export const MASK_BYTES = 3 << MASK_SHIFT;
export const RESEND = 64;
export const HAS_MORE = 128;
const CONTENT_FLAGS = HAS_SEQ | MASK_BYTES | HAS_MORE;

/** More flags: */
export const HAS_INVALID = 1;
export const HAS_EXTRA = 2;
export const WIDE_SEQ = 4;

/** Behind the length: */
export const FLAGS = 2;
export const TIME = 3;
/** ... and where what follows the times begins, by how these are written. */
export const TIMES_END = Uint8Array.of(TIME + 8, TIME + 12, TIME + 16, TIME + 8);
export const TXID_BYTES = 7;
/** A record of a clock that is up to 5.5 s ahead, or up to a minute on its way, is near. */
export const NEAR_SHIFT_MS = 5535;
export const HIGH = 2 ** 32;

export function isBase(entry: Uint8Array): boolean {
  return (flagsOf(entry) & TIMES) === Times.base;
}

/** The state in a base entry. */
export function baseState(entry: Uint8Array): Uint8Array {
  return entry.subarray(lengthBytes(entry, 0) + TIMES_END[Times.base]);
}

export function timeOf(entry: Uint8Array): number {
  const at = lengthBytes(entry, 0) + TIME;
  return (flagsOf(entry) & TIMES) < Times.wide ? whole48At(entry, at) : doubleAt(entry, at);
}

/** What makes two readings of one device time the same content: everything but when and how they were delivered. */
export function contentOf(entry: Uint8Array): Uint8Array {
  return entry.subarray(contentStart(entry));
}

/** The flags that belong to the content. */
export function contentFlags(entry: Uint8Array): number {
  return flagsOf(entry) & CONTENT_FLAGS;
}

/** 0 where there is none. */
export function txidOf(entry: Uint8Array): number {
  if ((flagsOf(entry) & HAS_TXID) === 0) return 0;
  const at = txidStart(entry);
  return wholeAt(entry, at + 4, 3) * HIGH + wholeAt(entry, at, 4);
}

/** -1 where there is none. */
export function sequenceOf(entry: Uint8Array): number {
  const flags = flagsOf(entry);
  if ((flags & HAS_SEQ) === 0) return -1;
  const at = contentStart(entry);
  if ((flags & HAS_MORE) === 0) return wholeAt(entry, at, 4);
  return entry[at] & WIDE_SEQ ? doubleAt(entry, at + 1) : wholeAt(entry, at + 1, 4);
}

function flagsOf(entry: Uint8Array): number {
  return entry[lengthBytes(entry, 0) + FLAGS];
}

function txidStart(entry: Uint8Array): number {
  return lengthBytes(entry, 0) + TIMES_END[flagsOf(entry) & TIMES];
}

function contentStart(entry: Uint8Array): number {
  return txidStart(entry) + (flagsOf(entry) & HAS_TXID ? TXID_BYTES : 0);
}

export function whole48At(bytes: Uint8Array, at: number): number {
  return (bytes[at + 4] | (bytes[at + 5] << 8)) * HIGH + wholeAt(bytes, at, 4);
}

/** Of one to four bytes, unsigned. */
export function wholeAt(bytes: Uint8Array, at: number, width: number): number {
  let n = bytes[at];
  if (width > 1) n |= bytes[at + 1] << 8;
  if (width > 2) n |= bytes[at + 2] << 16;
  if (width > 3) n |= bytes[at + 3] << 24;
  return n >>> 0;
}
