import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase } from '../../../snapshots/directory.ts';
import { type SegmentPlace, segmentPlaceOf } from '../../../snapshots/keys.ts';
import { ManualClock } from '../../kernel/clock.ts';
import type { Log } from '../../log/contract.ts';
import { openEmbeddedLog } from '../../log/embedded/embedded.ts';
import { readRows, released } from '../../shard/mirror-topic.ts';
import { toyType } from '../../shard/testing/toy.ts';
import type { RuntimeOptions } from '../runtime-options.ts';
import { lamp, openRig, type Rig, START } from './rig.ts';

/** Processes with a disk each, on one log; one at a time. */
export class Places {
  readonly dir = mkdtempSync(join(tmpdir(), 'gridfold-moves-'));
  readonly #closers: (() => Promise<unknown>)[];
  #at: string | null = null;
  #time = START;

  constructor(closers: (() => Promise<unknown>)[]) {
    this.#closers = closers;
    closers.push(async () => rmSync(this.dir, { recursive: true, force: true }));
  }

  /** Starts the process named on its own disk; `seen` is the log as it sees it. */
  open(name: string, options: Partial<RuntimeOptions> = {}, seen?: (log: Log) => Log): Promise<Rig> {
    const state = join(this.dir, 'state');
    if (this.#at !== null && existsSync(state)) renameSync(state, join(this.dir, `state-${this.#at}`));
    const own = join(this.dir, `state-${name}`);
    if (existsSync(own)) renameSync(own, state);
    this.#at = name;
    this.#time += 60_000;
    return openRig(this.dir, new ManualClock(this.#time), { mirror: true, ...options }, this.#closers, seen);
  }

  async log<T>(use: (log: Awaited<ReturnType<typeof openEmbeddedLog>>) => Promise<T>): Promise<T> {
    const log = await openEmbeddedLog({ dir: join(this.dir, 'log'), partitions: 2 });
    try {
      return await use(log);
    } finally {
      await log.close();
    }
  }

  releases(): Promise<boolean[]> {
    return this.log((log) => Promise.all([0, 1].map((partition) => released(log, toyType.topics, partition))));
  }

  /** Puts other bytes under every key of a topic that `which` takes, as nobody does. */
  async damage(topic: string, which: (key: Buffer) => boolean, flip: (value: Buffer) => Buffer | null): Promise<void> {
    await this.log(async (log) => {
      for (const partition of [0, 1]) {
        const { start, end } = log.extent(topic, partition);
        const bad: { key: Uint8Array; value: Uint8Array | null }[] = [];
        for await (const rows of readRows(log, topic, partition, { from: start, to: end })) {
          for (const { key, value } of rows) if (which(key) && value !== null) bad.push({ key, value: flip(value) });
        }
        await log.publish(await log.claim(toyType.topics.journal, partition), new Map([[topic, bad]]));
      }
    });
  }

  /** Turns a bit in those window segments that `which` takes, on the disk of the process that was here last. */
  async damageDisk(which: (segments: readonly SegmentPlace[]) => readonly SegmentPlace[]): Promise<void> {
    for (const partition of [0, 1]) {
      const db = await createDatabase(join(this.dir, 'state', `${toyType.name}-${partition}`));
      try {
        const rows = (await db.iterator().all()).flatMap(([key, value]) => {
          const place = segmentPlaceOf(key);
          return place === null ? [] : [{ key, value, place }];
        });
        const bad = new Set(which(rows.map(({ place }) => place)));
        const damaged = rows.filter(({ place }) => bad.has(place));
        await db.batch(damaged.map(({ key, value }) => ({ type: 'put', key, value: flipped(value) })));
      } finally {
        await db.close();
      }
    }
  }

  /** Forgets everything that was folded. */
  async trim(): Promise<void> {
    await this.log(async (log) => {
      const everything = { maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: 0 };
      for (const topic of ['telemetry', 'journal'])
        for (const partition of [0, 1]) await log.trim(topic, partition, everything, log.extent(topic, partition).end);
    });
  }
}

/** The lamps whose partitions move. */
export const serials = Array.from({ length: 20 }, (_, i) => `L${i}`);

/** A reading of each lamp for each of the minutes. */
export const minutes = (from: number, to: number) =>
  serials.flatMap((serial) =>
    Array.from({ length: to - from }, (_, i) =>
      lamp(serial, from + i, { mode: (from + i) % 3 === 0 ? 'bright' : 'dim' }),
    ),
  );

/** The value with one bit in its middle turned. */
export function flipped(value: Buffer): Buffer {
  const copy = Buffer.from(value);
  copy[copy.length >> 1] ^= 1;
  return copy;
}
