import { GridfoldError } from '../runtime/kernel/errors.ts';
import { KeyType, numberedKey, segmentKey } from './keys.ts';
import type { Manifest } from './manifest.ts';
import type { ExportedSnapshot, SnapshotLayout, SnapshotName, StateRow } from './mirrored.ts';
import { blocksOf, NamedRows, type ReadBlock, readBlocks, recordKeys, type StoredSnapshot } from './named.ts';

const RECORDS_AT_ONCE = 256;
/** Of each of some blocks. */
const SEGMENTS_AT_ONCE = 8;

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
    for await (const group of readBlocks(this.#source.stored, this.#changed)) {
      yield group.map(({ key, image }) => ({ key, value: image }));
      yield* this.#records(group);
      yield* this.#segments(group.map(({ id }) => id));
    }
  }

  async *obsolete(): AsyncGenerator<readonly Buffer[]> {
    const base = this.#base;
    if (base === null) return;
    const changed = this.#changed.filter((id) => base.table.numbers[id] !== 0);
    for await (const group of readBlocks(this.#source.stored, changed)) {
      yield group.map(({ id }) => numberedKey(base.table.numbers[id], KeyType.image, id, 0));
      yield await this.#replacedRecords(group, base);
      yield* await Promise.all(group.map(({ id }) => this.#passedSegments(id, base)));
    }
  }

  named(): Promise<NamedRows> {
    return NamedRows.of(this.#source.stored);
  }

  async *#records(group: readonly ReadBlock[]): AsyncGenerator<StateRow[]> {
    const known = this.#base?.number ?? 0;
    const newer = group.flatMap(({ id, numbers }) => recordKeys(id, numbers)).filter(({ number }) => number > known);
    for (let at = 0; at < newer.length; at += RECORDS_AT_ONCE) {
      const some = newer.slice(at, at + RECORDS_AT_ONCE);
      const values = await this.#source.stored.db.getMany(some.map(({ key }) => key));
      yield some.map(({ key, number }, i) => {
        const value = values[i];
        if (value !== undefined) return { key, value };
        throw new GridfoldError('block_corrupt', 'retry', `a side record of snapshot ${number} is missing`);
      });
    }
  }

  /** Side by side, since most blocks have one new segment: reads wait for the loop, which the fold keeps busy. */
  async *#segments(ids: readonly number[]): AsyncGenerator<StateRow[]> {
    const open = ids.flatMap((id) => {
      const end = this.#source.stored.table.windowEnds[id];
      const from = Math.max(this.#base?.table.windowEnds[id] ?? 0, this.#source.deletable(end));
      if (from >= end) return [];
      return [this.#source.stored.db.iterator({ gte: segmentKey(id, from), lt: segmentKey(id, end) })];
    });
    try {
      for (let left = open; left.length > 0; ) {
        const lists = await Promise.all(left.map((segments) => segments.nextv(SEGMENTS_AT_ONCE)));
        for (const list of lists) yield list.map(([key, value]) => ({ key, value }));
        // Fewer than asked for may come before the end, where they are large.
        left = left.filter((_, i) => lists[i].length > 0);
      }
    } finally {
      await Promise.all(open.map((segments) => segments.close()));
    }
  }

  /** Records of the blocks as `base` had them that are others now. */
  async #replacedRecords(group: readonly ReadBlock[], base: Manifest): Promise<Buffer[]> {
    const before = { ...this.#source.stored, table: base.table };
    const replaced: Buffer[] = [];
    try {
      const ids = group.map(({ id }) => id);
      for await (const old of readBlocks(before, ids)) {
        for (const [i, { id, numbers }] of old.entries()) {
          const kept = new Set(recordKeys(id, group[i].numbers).map(({ key }) => key.toString('latin1')));
          for (const { key } of recordKeys(id, numbers)) if (!kept.has(key.toString('latin1'))) replaced.push(key);
        }
      }
    } catch {
      this.isComplete = false;
    }
    return replaced;
  }

  async #passedSegments(id: number, base: Manifest): Promise<Buffer[]> {
    const { db, table } = this.#source.stored;
    const [from, to] = [base.table.windowEnds[id], table.windowEnds[id]].map((end) => this.#source.deletable(end));
    return from < to ? db.keys({ gte: segmentKey(id, from), lt: segmentKey(id, to) }).all() : [];
  }
}
