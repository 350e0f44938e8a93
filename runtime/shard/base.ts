import { Packr } from 'msgpackr';
import { Block } from '../../snapshots/block.ts';
import type { CursorBase } from '../../snapshots/cursor.ts';
import type { StateSchema } from '../../snapshots/schema.ts';

const packr = new Packr({ useRecords: false });

/**
 * Packs the fold's part of an asset's state: columns that differ from their default, and the side record.
 *
 *   u16 columns | (u8 column, value)* | side (msgpack) or nothing
 */
export function packState(asset: CursorBase, buffer: StateBuffer): Uint8Array {
  const { schema, offsets } = asset;
  let at = 2;
  let count = 0;
  for (let c = 0; c < offsets.length; c++) {
    if (offsets[c] < 0 || schema.isFold[c] === 0) continue;
    const value = asset.getAt(c);
    if (Object.is(value, schema.defaults[c])) continue;
    buffer.bytes[at] = c;
    const width = schema.widths[c];
    if (width === 8) buffer.view.setFloat64(at + 1, value, true);
    else if (width === 4) buffer.view.setUint32(at + 1, value, true);
    else buffer.bytes[at + 1] = value;
    at += 1 + width;
    count++;
  }
  buffer.view.setUint16(0, count, true);
  const side = asset.readSide();
  if (side === null) return buffer.bytes.subarray(0, at);
  const packed = packr.pack(side);
  const whole = new Uint8Array(at + packed.length);
  whole.set(buffer.bytes.subarray(0, at));
  whole.set(packed, at);
  return whole;
}

/** Room for the columns of any state (255 columns of 9 bytes). */
export class StateBuffer {
  readonly bytes = new Uint8Array(2 + 255 * 9);
  readonly view = new DataView(this.bytes.buffer);
}

/** Sets the fold's part of `asset` to a packed state. Engine columns stay. */
export function restoreState(asset: CursorBase, bytes: Uint8Array): void {
  const { schema } = asset;
  resetFold(asset);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 2;
  for (let n = view.getUint16(0, true); n > 0; n--) {
    const c = bytes[at];
    const width = schema.widths[c];
    const value =
      width === 8 ? view.getFloat64(at + 1, true) : width === 4 ? view.getUint32(at + 1, true) : bytes[at + 1];
    asset.setAt(c, value);
    at += 1 + width;
  }
  asset.writeSide(at < bytes.length ? (packr.unpack(bytes.subarray(at)) as object) : null);
}

/** Copies the fold's part (and with `engine` the engine's part too) from one asset to another of the same schema. */
export function copyState(from: CursorBase, to: CursorBase, engine: boolean): void {
  const { schema } = from;
  for (let c = 0; c < schema.names.length; c++) {
    if (engine || schema.isFold[c] === 1) to.setAt(c, from.getAt(c));
  }
  const side = from.readSide();
  if (side !== null || to.readSide() !== null) to.writeSide(side);
}

/** Fold columns back to their defaults: an asset that has seen no reading. */
export function resetFold(asset: CursorBase): void {
  const { schema } = asset;
  for (let c = 0; c < schema.names.length; c++) if (schema.isFold[c] === 1) asset.setAt(c, schema.defaults[c]);
  if (asset.readSide() !== null) asset.writeSide(null);
}

/** Points `cursor` at an asset of its own, named like the real one, on which a re-fold may try things out. */
export function scratchRow(cursor: CursorBase, schema: StateSchema): void {
  const block = new Block(-1, schema);
  block.add(new Uint8Array(0), 0, 0, 0);
  cursor.attach(block, 0);
}
