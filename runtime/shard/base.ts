import { Packr } from 'msgpackr';
import { Block } from '../../snapshots/block.ts';
import type { CursorBase } from '../../snapshots/cursor.ts';
import type { StateSchema } from '../../snapshots/schema.ts';
import { MAX_VALUE_BYTES, readValue, valueBytes, writeValue } from './value-code.ts';

const packr = new Packr({ useRecords: false });

/**
 * Packs the fold's part of an asset's state: columns that differ from their default, and the side record.
 *
 *   u8 columns | (u8 column, value)* | side (msgpack) or nothing
 *
 * Values: value-code.ts.
 */
export function packState(asset: CursorBase, { bytes, view, value }: StateBuffer): Uint8Array {
  const { schema, offsets } = asset;
  let at = 1;
  let count = 0;
  for (let c = 0; c < offsets.length; c++) {
    if (offsets[c] < 0 || schema.isFold[c] === 0) continue;
    value[0] = asset.getAt(c);
    if (Object.is(value[0], schema.defaults[c])) continue;
    bytes[at] = c;
    at = writeValue(view, at + 1, value, 0);
    count++;
  }
  bytes[0] = count;
  const side = asset.readSide();
  if (side === null) return bytes.subarray(0, at);
  const packed = packr.pack(side);
  const whole = new Uint8Array(at + packed.length);
  whole.set(bytes.subarray(0, at));
  whole.set(packed, at);
  return whole;
}

/** Room for the columns of any state: 255 of them. */
export class StateBuffer {
  readonly bytes = new Uint8Array(1 + 255 * (1 + MAX_VALUE_BYTES));
  readonly view = new DataView(this.bytes.buffer);
  readonly value = new Float64Array(1);
}

/** Sets the fold's part of `asset` to a packed state. Engine columns stay. */
export function restoreState(asset: CursorBase, bytes: Uint8Array): void {
  resetFold(asset);
  let at = 1;
  for (let n = bytes[0]; n > 0; n--) {
    asset.setAt(bytes[at], readValue(bytes, at + 1));
    at += 1 + valueBytes(bytes, at + 1);
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
