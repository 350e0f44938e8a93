/**
 * Rows of numbers in few bytes. Numbers of a place mostly repeat, count up, or have few decimals: each is told by how
 * it differs from the one in the row before. What comes back is what went in, bit by bit, but for the sign of zero.
 */
const SAME = 0;
const NOTHING = 1;
const WHOLE = 2;
/** Tag of a difference of numbers with `tag - DECIMALS` decimals. */
const DECIMALS = 3;
const SCALES = [1, 10, 100, 1000, 10_000];
/** Beyond this a scaled number may not be exact any more. */
const EXACT = 2 ** 50;

const scratch = { bytes: Buffer.alloc(4096), length: 0 };

export function packRows(rows: readonly number[], width: number): Uint8Array {
  scratch.length = 0;
  for (let i = 0; i < rows.length; i++) packNumber(rows[i], i < width ? 0 : rows[i - width]);
  return Uint8Array.prototype.slice.call(scratch.bytes, 0, scratch.length);
}

function packNumber(value: number, before: number): void {
  makeRoom();
  const { bytes } = scratch;
  if (value === before) bytes[scratch.length++] = SAME;
  else if (Number.isNaN(value)) bytes[scratch.length++] = NOTHING;
  else {
    const decimals = decimalsOf(value);
    const scaled = decimals < 0 ? 0 : difference(value, before, SCALES[decimals]);
    if (decimals < 0 || Math.abs(scaled) > EXACT) {
      bytes[scratch.length++] = WHOLE;
      scratch.length = bytes.writeDoubleLE(value, scratch.length);
    } else {
      bytes[scratch.length++] = DECIMALS + decimals;
      packSigned(scaled);
    }
  }
}

/** How many decimals tell the number exactly; -1 where a few do not. */
function decimalsOf(value: number): number {
  for (let d = 0; d < SCALES.length; d++) {
    const scaled = Math.round(value * SCALES[d]);
    if (Math.abs(scaled) > EXACT) return -1;
    if (scaled / SCALES[d] === value) return d;
  }
  return -1;
}

function difference(value: number, before: number, scale: number): number {
  return Math.round(value * scale) - base(before, scale);
}

/** What a difference is added to; the same number for who packs and who unpacks. */
function base(before: number, scale: number): number {
  const scaled = Math.round(before * scale);
  return Number.isFinite(scaled) && Math.abs(scaled) <= EXACT ? scaled : 0;
}

function packSigned(value: number): void {
  let rest = value < 0 ? -value * 2 - 1 : value * 2;
  while (rest >= 128) {
    scratch.bytes[scratch.length++] = 128 + (rest % 128);
    rest = Math.floor(rest / 128);
  }
  scratch.bytes[scratch.length++] = rest;
}

function makeRoom(): void {
  if (scratch.length + 16 < scratch.bytes.length) return;
  scratch.bytes = Buffer.concat([scratch.bytes], scratch.bytes.length * 2);
}

/** Rows unpacked lately, the longest unused first. */
const unpacked = new Map<Uint8Array, readonly number[]>();
const MOST_UNPACKED = 256;

/** The rows again; those unpacked lately are remembered, since who looks once mostly looks again. */
export function unpackRows(bytes: Uint8Array, width: number): readonly number[] {
  let rows = unpacked.get(bytes);
  if (rows !== undefined) unpacked.delete(bytes);
  else {
    rows = readRows(bytes, width);
    if (unpacked.size >= MOST_UNPACKED) unpacked.delete(unpacked.keys().next().value as Uint8Array);
  }
  unpacked.set(bytes, rows);
  return rows;
}

function readRows(bytes: Uint8Array, width: number): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const rows: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const before = rows.length < width ? 0 : rows[rows.length - width];
    const tag = bytes[at++];
    if (tag === SAME) rows.push(before);
    else if (tag === NOTHING) rows.push(Number.NaN);
    else if (tag === WHOLE) {
      rows.push(view.getFloat64(at, true));
      at += 8;
    } else {
      let rest = 0;
      let unit = 1;
      for (; bytes[at] >= 128; unit *= 128) rest += (bytes[at++] - 128) * unit;
      rest += bytes[at++] * unit;
      const scaled = rest % 2 === 0 ? rest / 2 : -(rest + 1) / 2;
      const scale = SCALES[tag - DECIMALS];
      rows.push((base(before, scale) + scaled) / scale);
    }
  }
  return rows;
}
