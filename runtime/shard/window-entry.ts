import { Packr } from 'msgpackr';
import { sealEntry } from '../../snapshots/window-length.ts';
import {
  FLAGS,
  HAS_EXTRA,
  HAS_INVALID,
  HAS_MORE,
  HAS_SEQ,
  HAS_TXID,
  HIGH,
  MASK_SHIFT,
  NEAR_SHIFT_MS,
  RESEND,
  TIME,
  TIMES_END,
  Times,
  TXID_BYTES,
  WIDE_SEQ,
} from './entry-layout.ts';
import type { Reading } from './reading.ts';
import { MAX_VALUE_BYTES, writeValue } from './value-code.ts';

/** More than an entry has beside its values, state or extra: times, txid, masks. */
const BESIDE_BYTES = 64;
const MAX_FIELD_BYTES = 32 * MAX_VALUE_BYTES;
const U48 = 2 ** 48;

const packr = new Packr({ useRecords: false });

/** Encodes entries into one buffer that is used again; nobody keeps what it returns. */
export class EntryWriter {
  bytes = new Uint8Array(4096);
  #view = new DataView(this.bytes.buffer);

  /** Returns the entry's length; the entry is in `bytes[0, length)`. `sized` = fields with a value of fixed size. */
  reading(slot: number, r: Reading, sized: number): number {
    const extra = r.extra === null ? null : packr.pack(r.extra);
    this.#reserve(BESIDE_BYTES + MAX_FIELD_BYTES + (extra?.length ?? 0));
    const view = this.#view;
    view.setUint16(1, slot, true);
    const times = this.#times(r);
    let at = 1 + TIMES_END[times];
    if (r.txid !== 0) {
      const high = (r.txid / HIGH) | 0;
      view.setUint32(at, r.txid - high * HIGH, true);
      view.setUint32(at + 4, high, true);
      at += TXID_BYTES;
    }
    const more = moreFlags(r);
    if (more !== 0) this.bytes[at++] = more;
    if (r.seqNo >= 0) {
      if (more & WIDE_SEQ) view.setFloat64(at, r.seqNo, true);
      else view.setUint32(at, r.seqNo, true);
      at += more & WIDE_SEQ ? 8 : 4;
    }
    const maskBytes = (39 - Math.clz32(r.present | r.invalid | 1)) >> 3;
    at = this.#fields(at, r, maskBytes, sized);
    if (extra !== null) {
      this.bytes.set(extra, at);
      at += extra.length;
    }
    this.bytes[1 + FLAGS] =
      times |
      (r.txid !== 0 ? HAS_TXID : 0) |
      (r.seqNo >= 0 ? HAS_SEQ : 0) |
      ((maskBytes - 1) << MASK_SHIFT) |
      (r.resend ? RESEND : 0) |
      (more !== 0 ? HAS_MORE : 0);
    return sealEntry(this.bytes, at);
  }

  base(slot: number, time: number, state: Uint8Array): number {
    this.#reserve(BESIDE_BYTES + state.length);
    this.#view.setUint16(1, slot, true);
    this.bytes[1 + FLAGS] = Times.base;
    this.#view.setFloat64(1 + TIME, time, true);
    const at = 1 + TIMES_END[Times.base];
    this.bytes.set(state, at);
    return sealEntry(this.bytes, at + state.length);
  }

  /** Returns how the times are written. */
  #times({ deviceTime, receiveTime }: Reading): number {
    const view = this.#view;
    const at = 1 + TIME;
    if (!isTime48(deviceTime) || !isTime48(receiveTime)) {
      view.setFloat64(at, deviceTime, true);
      view.setFloat64(at + 8, receiveTime, true);
      return Times.wide;
    }
    write48(view, at, deviceTime);
    const behind = receiveTime - deviceTime + NEAR_SHIFT_MS;
    if (behind >= 0 && behind <= 0xffff) {
      view.setUint16(at + 6, behind, true);
      return Times.near;
    }
    write48(view, at + 6, receiveTime);
    return Times.far;
  }

  /** Masks and values; returns where they end. A mask reaches over its end, and what follows over that. */
  #fields(start: number, { present, invalid, values }: Reading, maskBytes: number, sized: number): number {
    const view = this.#view;
    let at = start;
    view.setUint32(at, present, true);
    at += maskBytes;
    if (invalid !== 0) {
      view.setUint32(at, invalid, true);
      at += maskBytes;
    }
    for (let m = present & ~invalid & sized; m !== 0; m &= m - 1) {
      at = writeValue(view, at, values, 31 - Math.clz32(m & -m));
    }
    return at;
  }

  #reserve(length: number): void {
    if (length <= this.bytes.length) return;
    this.bytes = new Uint8Array(length * 2);
    this.#view = new DataView(this.bytes.buffer);
  }
}

function moreFlags({ invalid, extra, seqNo }: Reading): number {
  const isWide = seqNo >= 0 && seqNo >>> 0 !== seqNo;
  return (invalid !== 0 ? HAS_INVALID : 0) | (extra !== null ? HAS_EXTRA : 0) | (isWide ? WIDE_SEQ : 0);
}

function isTime48(time: number): boolean {
  return time > 0 && time < U48 && Math.floor(time) === time;
}

function write48(view: DataView, at: number, n: number): void {
  const low = n >>> 0;
  view.setUint32(at, low, true);
  view.setUint16(at + 4, (n - low) / HIGH, true);
}
