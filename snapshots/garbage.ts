import { deleteNumbers, deleteObsolete, deleteSegments } from './cleanup.ts';
import type { Database, Found } from './directory.ts';
import { KeyType, NUMBERED_KEY_BYTES, numberedKey } from './keys.ts';
import type { BlockTable } from './manifest.ts';
import type { Cut } from './snapshot.ts';

/** How far windows may be deleted. */
export interface WindowReach {
  /** Position below which no segment of the block is ever read again. */
  deletable(block: number): number;
  /** Bytes of a window from which on deleting is worth while. */
  readonly step: number;
}

/**
 * What lies in a partition's database and neither of its two snapshots needs. It is deleted when a snapshot has become
 * durable; a process that ends before leaves it to the next one.
 */
export class Garbage {
  readonly #db: Database;
  /** Numbers of the manifests that stand there, newest first. */
  #manifests: readonly number[];
  /** Numbers of snapshots that never became durable, as ranges. */
  #unfinished: [from: number, to: number][] = [];
  /** Side record keys replaced since the newest durable snapshot. */
  #replaced: Buffer[] = [];
  readonly #segmentsDeletedTo: Float64Array;

  constructor(db: Database, { manifest, numbers, highest }: Found, blocks: number) {
    const newest = manifest?.number ?? 0;
    this.#db = db;
    this.#manifests = numbers.filter((number) => number <= newest);
    if (highest > newest) this.#unfinished.push([newest + 1, highest]);
    this.#segmentsDeletedTo = new Float64Array(blocks);
  }

  get manifests(): readonly number[] {
    return this.#manifests;
  }

  /** The side record under this key is needed by no snapshot after the next one. */
  replaced(key: Buffer): void {
    this.#replaced.push(key);
  }

  /** Nothing reads what was written under this number. */
  unfinished(number: number): void {
    this.#unfinished.push([number, number]);
  }

  /** Keys, end to end, that a snapshot of these blocks makes obsolete: images as `table` has them, and replaced side records. */
  obsoleteWith(ids: readonly number[], table: BlockTable): Buffer {
    const keys = [...this.#replaced];
    for (const id of ids) {
      const number = table.numbers[id];
      if (number !== 0) keys.push(numberedKey(number, KeyType.image, id, 0));
    }
    return Buffer.concat(keys, keys.length * NUMBERED_KEY_BYTES);
  }

  /** The snapshot that was told of what it makes obsolete is durable. */
  settle(): void {
    this.#replaced = [];
  }

  /** Deletes what is not needed now that `cut` is durable, and `previous` the snapshot before it. */
  async collect({ number, ids }: Cut, previous: number, windows: WindowReach): Promise<void> {
    const older = this.#manifests.filter((manifest) => manifest !== previous);
    await deleteObsolete(this.#db, older, previous);
    this.#manifests = previous === 0 ? [number] : [number, previous];
    for (const [from, to] of this.#unfinished) await deleteNumbers(this.#db, from, to);
    this.#unfinished = [];
    for (const id of ids) {
      const to = windows.deletable(id);
      const from = this.#segmentsDeletedTo[id];
      if (to - from < windows.step) continue;
      await deleteSegments(this.#db, id, from, to);
      this.#segmentsDeletedTo[id] = to;
    }
  }
}
