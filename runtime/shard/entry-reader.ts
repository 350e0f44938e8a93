import { Packr } from 'msgpackr';
import { lengthBytes } from '../../snapshots/window-length.ts';
import {
  FLAGS,
  HAS_EXTRA,
  HAS_INVALID,
  HAS_MORE,
  HAS_SEQ,
  HAS_TXID,
  HIGH,
  MASK_BYTES,
  MASK_SHIFT,
  NEAR_SHIFT_MS,
  RESEND,
  TIME,
  TIMES,
  TIMES_END,
  Times,
  TXID_BYTES,
  WIDE_SEQ,
  whole48At,
  wholeAt,
} from './entry-layout.ts';
import type { Reading } from './reading.ts';
import { doubleAt, readValue, valueBytes } from './value-code.ts';

const packr = new Packr({ useRecords: false });

/** Fills `into` from a reading entry. `kind` is the block's. */
export function decodeReadingEntry(entry: Uint8Array, kind: number, sized: number, into: Reading): void {
  const body = lengthBytes(entry, 0);
  const flags = entry[body + FLAGS];
  into.kind = kind;
  into.resend = (flags & RESEND) !== 0;
  readTimes(entry, body + TIME, flags & TIMES, into);
  let at = body + TIMES_END[flags & TIMES];
  into.txid = 0;
  if (flags & HAS_TXID) {
    into.txid = wholeAt(entry, at + 4, 3) * HIGH + wholeAt(entry, at, 4);
    at += TXID_BYTES;
  }
  const more = flags & HAS_MORE ? entry[at++] : 0;
  into.seqNo = -1;
  if (flags & HAS_SEQ) {
    into.seqNo = more & WIDE_SEQ ? doubleAt(entry, at) : wholeAt(entry, at, 4);
    at += more & WIDE_SEQ ? 8 : 4;
  }
  const maskBytes = ((flags & MASK_BYTES) >> MASK_SHIFT) + 1;
  into.present = wholeAt(entry, at, maskBytes);
  at += maskBytes;
  into.invalid = 0;
  if (more & HAS_INVALID) {
    into.invalid = wholeAt(entry, at, maskBytes);
    at += maskBytes;
  }
  const { values } = into;
  for (let m = into.present & ~into.invalid & sized; m !== 0; m &= m - 1) {
    values[31 - Math.clz32(m & -m)] = readValue(entry, at);
    at += valueBytes(entry, at);
  }
  into.extra = more & HAS_EXTRA ? (packr.unpack(entry.subarray(at)) as [string, unknown][]) : null;
}

function readTimes(entry: Uint8Array, at: number, times: number, into: Reading): void {
  if (times === Times.wide) {
    into.deviceTime = doubleAt(entry, at);
    into.receiveTime = doubleAt(entry, at + 8);
    return;
  }
  into.deviceTime = whole48At(entry, at);
  into.receiveTime =
    times === Times.near ? into.deviceTime + wholeAt(entry, at + 6, 2) - NEAR_SHIFT_MS : whole48At(entry, at + 6);
}
