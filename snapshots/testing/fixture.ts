import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { murmur2 } from '../../runtime/kernel/hash.ts';
import type { Block } from '../block.ts';
import type { PartitionState, PartitionStateOptions, SnapshotMeta } from '../contract.ts';
import { defineState, type StateSchema } from '../schema.ts';
import { lengthAt, lengthBytes } from '../window-length.ts';

/** Two small kinds with every type of column. */
export const meterState = defineState('meter', 1, {
  energy: { type: 'f64', doc: 'Wh' },
  level: { type: 'f64', default: Number.NaN, doc: 'Share' },
  count: { type: 'u32', doc: 'Readings' },
  mode: { type: 'u8', default: 255, doc: 'Mode' },
  sideSnapshot: { type: 'u32', scope: 'engine', doc: 'Snapshot that holds the side record' },
  lifeSnapshot: { type: 'u32', scope: 'engine', doc: 'Snapshot that holds the lifecycle list' },
});

export const roofState = defineState('roof', 1, {
  power: { type: 'f64', doc: 'W' },
  sideSnapshot: { type: 'u32', scope: 'engine', doc: 'Snapshot that holds the side record' },
  lifeSnapshot: { type: 'u32', scope: 'engine', doc: 'Snapshot that holds the lifecycle list' },
});

export const schemas: readonly StateSchema[] = [
  meterState as unknown as StateSchema,
  roofState as unknown as StateSchema,
];

export const resolved = Promise.resolve();

export function metaOf(position: number): SnapshotMeta {
  return { position: Uint8Array.of(position >> 8, position & 255), versions: { meter: 'meter@1' } };
}

export function positionOf(meta: SnapshotMeta): number {
  return (meta.position[0] << 8) | meta.position[1];
}

export function tempDir(): { dir: string; remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), 'gridfold-state-'));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

export function testOptions(dir: string, more: Partial<PartitionStateOptions> = {}): PartitionStateOptions {
  return { dir, schemas, blocksPerKind: 16, message: () => {}, ...more };
}

/** The asset's block and slot, both created when new. The block counts as changed. */
export function touchAsset(state: PartitionState, kind: number, serial: string): { block: Block; slot: number } {
  const bytes = Buffer.from(serial);
  const hash = murmur2(bytes);
  const block = state.blockOrCreate(kind * state.blocksPerKind + (hash % state.blocksPerKind), schemas[kind]);
  const found = block.find(bytes, 0, bytes.length, hash);
  state.change(block);
  return { block, slot: found >= 0 ? found : block.add(bytes, 0, bytes.length, hash) };
}

export function setColumn(block: Block, name: string, slot: number, value: number): void {
  const c = block.schema.index(name as never);
  if (block.offsets[c] < 0) block.allocate(c);
  block.set(c, slot, value);
}

/** A window entry of `length` bytes (at least 5, of 255 on 9) that carries `value`. */
export function windowEntry(length: number, value: number): Uint8Array {
  const entry = new Uint8Array(length).fill(value & 255);
  const view = new DataView(entry.buffer);
  view.setUint8(0, Math.min(length, 255));
  if (length >= 255) view.setUint32(1, length, true);
  view.setUint32(lengthBytes(entry, 0), value, true);
  return entry;
}

/** The whole window of a block, oldest entry first, as [length, value]; and where its chunks lie. */
export function readWindow(state: PartitionState, block: Block): { entries: [number, number][]; chunks: number[] } {
  const entries: [number, number][] = [];
  const chunks: number[] = [];
  state.scanWindow(block, (bytes, start, end) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const chunk: [number, number][] = [];
    for (let at = start; at < end; at += lengthAt(bytes, at)) {
      const length = lengthAt(bytes, at);
      const body = at + lengthBytes(bytes, at);
      const value = view.getUint32(body, true);
      for (let i = body + 4; i < at + length; i++) {
        if (bytes[i] !== (value & 255)) throw new Error('an entry is not what was appended');
      }
      chunk.push([length, value]);
    }
    chunks.push(end - start);
    entries.unshift(...chunk);
    return true;
  });
  return { entries, chunks };
}
