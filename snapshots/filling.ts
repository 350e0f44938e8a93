import { setImmediate as nextTurn } from 'node:timers/promises';
import { crashPoint } from '../runtime/kernel/crash.ts';
import { GridfoldError } from '../runtime/kernel/errors.ts';
import type { WindowCursor } from './block.ts';
import type { FillFigures, WindowFilling } from './contract.ts';
import type { Database } from './directory.ts';
import { manifestKey, segmentPlaceOf } from './keys.ts';
import type { MirroredSnapshot, StateRow } from './mirrored.ts';
import { damaged } from './restored-rows.ts';
import { type Link, linkBefore, linkTo, newestLink, segmentMatches } from './window.ts';

type Put = { type: 'put'; key: Buffer; value: Buffer };

/** What a filling fills, and how far back. */
export interface FillingTarget {
  readonly db: Database;
  readonly mirrored: MirroredSnapshot;
  /** Of every block of the snapshot, where its window stood. */
  readonly windows: ReadonlyMap<number, WindowCursor>;
  /** Position below which no segment of a window that ends at `end` is ever read. */
  readonly deletable: (end: number) => number;
  /** Called when everything is durable. */
  readonly complete: () => Promise<void>;
}

/**
 * Brings the windows of a mirrored snapshot into the database, a piece per turn of the loop. From the newest segment
 * of each window, which its image names, to the oldest: each names the one before it, so that the segments that come
 * are known to be the right ones, and that none is missing.
 */
export class Filling implements WindowFilling {
  readonly #target: FillingTarget;
  /** By block, the segment that is needed next; blocks of which all are there are gone. */
  readonly #wanted = new Map<number, Link>();
  /** Blocks of which something came. */
  readonly #begun = new Set<number>();
  /** Came before it was known whether it is needed; null: what stands there is of no use. */
  readonly #early = new Map<number, Map<number, Early | null>>();
  #segments = 0;
  #bytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #isStopped = false;
  #done: Promise<FillFigures> | null = null;
  #next = Promise.withResolvers<void>();

  constructor(target: FillingTarget) {
    this.#target = target;
    for (const [block, cursor] of target.windows) this.#want(block, newestLink(cursor));
  }

  /** Begins when somebody first asks: until then the process has more urgent things to do. */
  get done(): Promise<FillFigures> {
    this.#done ??= this.#run();
    return this.#done;
  }

  more(): Promise<void> {
    if (this.#isStopped) return Promise.reject(stopped());
    return Promise.race([this.#next.promise, this.done.then(() => {})]);
  }

  /** Nothing is written from the moment it resolves. What is being read is not waited for. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#next.reject(stopped());
    this.#next.promise.catch(() => {});
    await this.#writing.catch(() => {});
  }

  async #run(): Promise<FillFigures> {
    const began = performance.now();
    const { db, mirrored } = this.#target;
    if (this.#wanted.size > 0) {
      for await (const rows of mirrored.windows()) {
        await this.#write(rows);
        if (this.#wanted.size === 0) break;
      }
    }
    this.#refuseGaps();
    crashPoint('fill.2');
    // The same row again: what was written before it is durable with it.
    await this.#guarded(() => db.put(manifestKey(mirrored.number), mirrored.manifest, { sync: true }));
    crashPoint('fill.3');
    await this.#guarded(() => this.#target.complete());
    crashPoint('fill.5');
    return { segments: this.#segments, bytes: this.#bytes, durationMs: performance.now() - began };
  }

  async #write(rows: readonly StateRow[]): Promise<void> {
    const puts: Put[] = [];
    for (const row of rows) this.#take(row, puts);
    if (puts.length > 0) {
      await this.#guarded(() => this.#target.db.batch(puts));
      crashPoint('fill.1');
      this.#next.resolve();
      this.#next = Promise.withResolvers();
    }
    await nextTurn();
  }

  async #guarded(write: () => Promise<void>): Promise<void> {
    if (this.#isStopped) throw stopped();
    this.#writing = write();
    await this.#writing;
  }

  #take({ key, value }: StateRow, puts: Put[]): void {
    // What was deleted is below what the window still reaches, or is found missing in the end.
    if (value === null) return;
    const place = segmentPlaceOf(key);
    const wanted = place === null ? undefined : this.#wanted.get(place.block);
    // Taken already, or of a snapshot that never became whole.
    if (place === null || wanted === undefined || place.position > wanted.position) return;
    const { block, position } = place;
    const segment = segmentMatches(key, value) ? value : null;
    const early = segment === null ? null : { link: linkTo(segment, position), before: linkBefore(segment, position) };
    const isWanted = early !== null && isSame(early.link, wanted);
    if (!isWanted && this.#early.get(block)?.has(position)) return;
    if (segment !== null) this.#put(puts, key, segment);
    if (isWanted) {
      this.#begun.add(block);
      this.#want(block, early.before);
    } else this.#keep(block, position, early);
  }

  #put(puts: Put[], key: Buffer, value: Buffer): void {
    puts.push({ type: 'put', key, value });
    this.#segments += 1;
    this.#bytes += value.length;
  }

  #keep(block: number, position: number, early: Early | null): void {
    let kept = this.#early.get(block);
    if (kept === undefined) this.#early.set(block, (kept = new Map()));
    kept.set(position, early);
  }

  /** Goes on to what is needed from `link` on and did not come yet. */
  #want(block: number, link: Link): void {
    const { windows, deletable } = this.#target;
    const oldest = deletable((windows.get(block) as WindowCursor).end);
    const early = this.#early.get(block);
    let next = link;
    while (next.position >= 0 && next.position >= oldest) {
      const came = early?.get(next.position);
      if (came === undefined || came === null || !isSame(came.link, next)) {
        this.#wanted.set(block, next);
        return;
      }
      this.#begun.add(block);
      next = came.before;
    }
    this.#wanted.delete(block);
    this.#early.delete(block);
  }

  /** A window may end where its owner, told to keep less, cut it off; but not begin later, nor have a hole. */
  #refuseGaps(): void {
    for (const [block, { position }] of this.#wanted) {
      if (this.#begun.has(block) && !this.#early.has(block)) continue;
      throw damaged(this.#target.mirrored.number, `the window of block ${block} is missing at position ${position}`);
    }
  }
}

interface Early {
  readonly link: Link;
  readonly before: Link;
}

function isSame(a: Link, b: Link): boolean {
  return a.position === b.position && a.end === b.end && a.crc === b.crc;
}

function stopped(): GridfoldError {
  return new GridfoldError('window_pending', 'retry', 'the partition state was closed before its windows were there');
}
