import { GridfoldError } from '../runtime/kernel/errors.ts';
import { KeyType, numberedKey, segmentKey } from './keys.ts';
import type { Block } from './block.ts';
import type { Manifest } from './manifest.ts';
import type { ExportedSnapshot, SnapshotLayout, SnapshotName, StateRow } from './mirrored.ts';
import { blocksOf, NamedRows, readBlocks, type StoredSnapshot } from './named.ts';

const RECORDS_AT_ONCE = 256;
const SEGMENTS_AT_ONCE = 64;

/** What an export needs to know beside the rows. */
export interface ExportSource {
  readonly stored: StoredSnapshot;
  readonly layout: SnapshotLayout;
  readonly name: SnapshotName;
  readonly manifestRow: Buffer;
  /** Position below which no segment of a window that ends at `end` is ever read again. */
  deletable(end: number): number;
}

/**
 * The newest durable snapshot of a partition as rows, for whoever has the snapshot `base` already: everything newer
 * than it, and the keys that it alone needs. The rows stay until the snapshot after the next is durable.
 */
export class SnapshotExport implements ExportedSnapshot {
  readonly name: SnapshotName;
  readonly layout: SnapshotLayout;
  readonly manifest: Buffer;
  isComplete = true;
  readonly #source: ExportSource;
  readonly #base: Manifest | null;
  readonly #changed: readonly number[];

  constructor(source: ExportSource, base: Manifest | null) {
    this.#source = source;
    this.#base = base;
    this.name = source.name;
    this.layout = source.layout;
    this.manifest = source.manifestRow;
    this.#changed = blocksOf(source.stored.table, (number) => number > (base?.number ?? 0));
  }

  async *rows(): AsyncGenerator<readonly StateRow[]> {
    for await (const blocks of readBlocks(this.#source.stored, this.#changed)) {
      for (const { id, key, image, block } of blocks) {
        yield [{ key, value: image }];
        yield* this.#records(block);
        yield* this.#segments(id);
      }
    }
  }

  async *obsolete(): AsyncGenerator<readonly Buffer[]> {
    const base = this.#base;
    if (base === null) return;
    const changed = this.#changed.filter((id) => base.table.numbers[id] !== 0);
    for await (const blocks of readBlocks(this.#source.stored, changed)) {
      for (const { id, block } of blocks) {
        yield [numberedKey(base.table.numbers[id], KeyType.image, id, 0)];
        yield await this.#replacedRecords(block, base);
        yield* this.#passedSegments(id, base);
      }
    }
  }

  named(): Promise<NamedRows> {
    return NamedRows.of(this.#source.stored);
  }

  async *#records(block: Block): AsyncGenerator<StateRow[]> {
    const newer = recordKeys(block).filter(({ number }) => number > (this.#base?.number ?? 0));
    for (let at = 0; at < newer.length; at += RECORDS_AT_ONCE) {
      const keys = newer.slice(at, at + RECORDS_AT_ONCE).map(({ key }) => key);
      const values = await this.#source.stored.db.getMany(keys);
      yield keys.map((key, i) => {
        const value = values[i];
        if (value !== undefined) return { key, value };
        const message = `a record of block ${block.id}, of snapshot ${newer[at + i].number}, is missing`;
        throw new GridfoldError('block_corrupt', 'retry', message);
      });
    }
  }

  async *#segments(id: number): AsyncGenerator<StateRow[]> {
    const end = this.#source.stored.table.windowEnds[id];
    const known = this.#base?.table.windowEnds[id] ?? 0;
    const from = Math.max(known, this.#source.deletable(end));
    if (from >= end) return;
    const rows = this.#source.stored.db.iterator({ gte: segmentKey(id, from), lt: segmentKey(id, end) });
    try {
      for (let some = await rows.nextv(SEGMENTS_AT_ONCE); some.length > 0; some = await rows.nextv(SEGMENTS_AT_ONCE)) {
        yield some.map(([key, value]) => ({ key, value }));
      }
    } finally {
      await rows.close();
    }
  }

  /** Records of the block as `base` had it that are others now. */
  async #replacedRecords(block: Block, base: Manifest): Promise<Buffer[]> {
    const before = { ...this.#source.stored, table: base.table };
    try {
      for await (const [old] of readBlocks(before, [block.id])) {
        const kept = new Set(recordKeys(block).map(({ key }) => key.toString('latin1')));
        return recordKeys(old.block).flatMap(({ key }) => (kept.has(key.toString('latin1')) ? [] : [key]));
      }
    } catch {
      this.isComplete = false;
    }
    return [];
  }

  async *#passedSegments(id: number, base: Manifest): AsyncGenerator<Buffer[]> {
    const { db, table } = this.#source.stored;
    const [from, to] = [base.table.windowEnds[id], table.windowEnds[id]].map((end) => this.#source.deletable(end));
    if (from < to) yield await db.keys({ gte: segmentKey(id, from), lt: segmentKey(id, to) }).all();
  }
}

function recordKeys(block: Block): { number: number; key: Buffer }[] {
  const keys: { number: number; key: Buffer }[] = [];
  for (const [column, type] of [
    ['sideSnapshot', KeyType.side],
    ['lifeSnapshot', KeyType.life],
  ] as const) {
    const c = block.schema.index(column);
    for (let slot = 0; slot < block.count; slot++) {
      const number = block.get(c, slot);
      if (number !== 0) keys.push({ number, key: numberedKey(number, type, block.id, slot) });
    }
  }
  return keys;
}
