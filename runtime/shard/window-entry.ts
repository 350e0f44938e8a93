import { Packr } from 'msgpackr';
import type { Reading } from './reading.ts';

/**
 * Entries of a block's window. Each begins with its own length, so a scan skips what it does not want:
 *
 *   u32 length | u16 slot | u8 type | f64 time | ...
 *
 * A reading follows with its receive time, identity, masks, values (f32 where that is exact) and extra.
 * A base follows with the packed state of the asset after everything up to `time`.
 */
export const EntryType = { reading: 0, base: 1 } as const;

export const ENTRY_TIME = 7;
const HEAD = 15;
const HAS_TXID = 1;
const HAS_SEQ = 2;
const HAS_INVALID = 4;
const HAS_EXTRA = 8;
const RESEND = 16;

const packr = new Packr({ useRecords: false });

/** Encodes entries into one buffer that is used again; nobody keeps what it returns. */
export class EntryWriter {
  bytes = new Uint8Array(4096);
  #view = new DataView(this.bytes.buffer);

  /** Returns the entry's length; the entry is in `bytes[0, length)`. `sized` = fields with a value of fixed size. */
  reading(slot: number, r: Reading, sized: number): number {
    const extra = r.extra === null ? null : packr.pack(r.extra);
    this.#reserve(HEAD + 8 + 1 + 8 + 4 + 8 + 4 + 32 * 8 + 4 + (extra?.length ?? 0));
    const view = this.#view;
    let flags = 0;
    let at = this.#head(slot, EntryType.reading, r.deviceTime) + 1;
    view.setFloat64(at, r.receiveTime, true);
    at += 8;
    if (r.txid !== 0) {
      flags |= HAS_TXID;
      view.setFloat64(at, r.txid, true);
      at += 8;
    }
    if (r.seqNo >= 0) {
      flags |= HAS_SEQ;
      view.setFloat64(at, r.seqNo, true);
      at += 8;
    }
    view.setUint32(at, r.present, true);
    at += 4;
    if (r.invalid !== 0) {
      flags |= HAS_INVALID;
      view.setUint32(at, r.invalid, true);
      at += 4;
    }
    at = this.#values(at, r.values, r.present & ~r.invalid & sized);
    if (extra !== null) {
      flags |= HAS_EXTRA;
      this.bytes.set(extra, at);
      at += extra.length;
    }
    if (r.resend) flags |= RESEND;
    this.bytes[HEAD] = flags;
    view.setUint32(0, at, true);
    return at;
  }

  base(slot: number, time: number, state: Uint8Array): number {
    this.#reserve(HEAD + state.length);
    const at = this.#head(slot, EntryType.base, time);
    this.bytes.set(state, at);
    this.#view.setUint32(0, at + state.length, true);
    return at + state.length;
  }

  #head(slot: number, type: number, time: number): number {
    this.#view.setUint16(4, slot, true);
    this.bytes[6] = type;
    this.#view.setFloat64(ENTRY_TIME, time, true);
    return HEAD;
  }

  #values(start: number, values: Float64Array, mask: number): number {
    const view = this.#view;
    const narrowAt = start;
    let at = start + 4;
    let narrow = 0;
    for (let m = mask; m !== 0; m &= m - 1) {
      const low = m & -m;
      const value = values[31 - Math.clz32(low)];
      if (Math.fround(value) === value) {
        narrow |= low;
        view.setFloat32(at, value, true);
        at += 4;
      } else {
        view.setFloat64(at, value, true);
        at += 8;
      }
    }
    view.setUint32(narrowAt, narrow, true);
    return at;
  }

  #reserve(length: number): void {
    if (length <= this.bytes.length) return;
    this.bytes = new Uint8Array(length * 2);
    this.#view = new DataView(this.bytes.buffer);
  }
}

/** Fills `into` from a reading entry. `kind` is the block's. */
export function decodeReadingEntry(entry: Uint8Array, kind: number, sized: number, into: Reading): void {
  const view = new DataView(entry.buffer, entry.byteOffset, entry.length);
  const flags = entry[HEAD];
  let at = HEAD + 1;
  into.kind = kind;
  into.deviceTime = view.getFloat64(ENTRY_TIME, true);
  into.receiveTime = view.getFloat64(at, true);
  at += 8;
  into.txid = 0;
  if (flags & HAS_TXID) {
    into.txid = view.getFloat64(at, true);
    at += 8;
  }
  into.seqNo = -1;
  if (flags & HAS_SEQ) {
    into.seqNo = view.getFloat64(at, true);
    at += 8;
  }
  into.present = view.getUint32(at, true);
  at += 4;
  into.invalid = 0;
  if (flags & HAS_INVALID) {
    into.invalid = view.getUint32(at, true);
    at += 4;
  }
  const narrow = view.getUint32(at, true);
  at += 4;
  for (let m = into.present & ~into.invalid & sized; m !== 0; m &= m - 1) {
    const low = m & -m;
    const i = 31 - Math.clz32(low);
    if (narrow & low) {
      into.values[i] = view.getFloat32(at, true);
      at += 4;
    } else {
      into.values[i] = view.getFloat64(at, true);
      at += 8;
    }
  }
  into.extra = flags & HAS_EXTRA ? (packr.unpack(entry.subarray(at)) as [string, unknown][]) : null;
  into.resend = (flags & RESEND) !== 0;
}

/** The state in a base entry. */
export function baseState(entry: Uint8Array): Uint8Array {
  return entry.subarray(HEAD);
}

/** What makes two readings of one device time the same content: everything but when and how they were delivered. */
export function contentOf(entry: Uint8Array): Uint8Array {
  const flags = entry[HEAD];
  return entry.subarray(HEAD + 1 + 8 + (flags & HAS_TXID ? 8 : 0));
}

/**
 * Total order of readings: device time, sequence number, txid, content. Equal only for duplicates.
 */
export function compareEntries(a: Uint8Array, b: Uint8Array): number {
  return (
    timeOf(a) - timeOf(b) ||
    sequence(a) - sequence(b) ||
    txidOf(a) - txidOf(b) ||
    Buffer.compare(contentOf(a), contentOf(b))
  );
}

/** Same device time and the same txid or content (contracts, "Telemetry record"). */
export function isDuplicate(a: Uint8Array, b: Uint8Array): boolean {
  if (timeOf(a) !== timeOf(b)) return false;
  const txid = txidOf(a);
  return (txid !== 0 && txid === txidOf(b)) || Buffer.compare(contentOf(a), contentOf(b)) === 0;
}

export function timeOf(entry: Uint8Array): number {
  return doubleAt(entry, ENTRY_TIME);
}

function txidOf(entry: Uint8Array): number {
  return entry[HEAD] & HAS_TXID ? doubleAt(entry, HEAD + 9) : 0;
}

function sequence(entry: Uint8Array): number {
  const flags = entry[HEAD];
  return flags & HAS_SEQ ? doubleAt(entry, HEAD + 9 + (flags & HAS_TXID ? 8 : 0)) : -1;
}

const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);

/** Little-endian double at any place, without a view of its own for each. */
export function doubleAt(bytes: Uint8Array, at: number): number {
  for (let i = 0; i < 8; i++) doubleBytes[i] = bytes[at + i];
  return double[0];
}
