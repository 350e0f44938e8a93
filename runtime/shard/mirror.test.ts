import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PartitionState } from '../../snapshots/contract.ts';
import { openPartitionState } from '../../snapshots/store.ts';
import { resolved, testOptions } from '../../snapshots/testing/fixture.ts';
import {
  apply,
  comparable,
  contentOf,
  copyModel,
  emptyModel,
  type StateModel,
  type Step,
} from '../../snapshots/testing/model.ts';
import type { Claim, Log } from '../log/contract.ts';
import { openEmbeddedLog } from '../log/embedded/embedded.ts';
import { Mirror } from './mirror.ts';
import { headKey, markKey } from './mirror-head.ts';
import { type OpenState, restoreMirrored } from './mirror-restore.ts';
import { readRows } from './mirror-topic.ts';
import { decodePosition, encodePosition, type ShardPosition, startPosition } from './position.ts';
import { compacted } from './testing/compacted.ts';

const REACH = 600;
const TOPIC = 'snapshots';
/** Three steps are a short replay, four are not. */
const RECORDS_PER_STEP = 60_000;

const asset = fc.nat(30);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant('change' as const), asset, value: fc.nat(1e6) }),
  fc.record({ type: fc.constantFrom('side' as const, 'life' as const), asset, value: fc.option(fc.nat(1000)) }),
  fc.record({ type: fc.constant('append' as const), asset, length: fc.integer({ min: 8, max: 150 }) }),
  fc.record({ type: fc.constant('intern' as const), value: fc.nat(8) }),
);

type Command =
  | { readonly do: 'fold'; readonly steps: readonly Step[] }
  /** A snapshot; of its publication only the first `pieces` reach the log. */
  | { readonly do: 'snapshot'; readonly pieces: number }
  /** Another process, or the same again, or one with an empty disk, takes the partition over. */
  | { readonly do: 'move'; readonly to: 'A' | 'B' | 'empty' };

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('fold' as const), steps: fc.array(step, { minLength: 1, maxLength: 6 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('snapshot' as const),
      pieces: fc.oneof(
        { weight: 3, arbitrary: fc.constant(Number.POSITIVE_INFINITY) },
        { weight: 2, arbitrary: fc.nat(6) },
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('move' as const),
      to: fc.constantFrom('A' as const, 'B' as const, 'empty' as const),
    }),
  },
);

const positionAt = (steps: number): ShardPosition => ({
  ...startPosition(),
  commit: steps,
  telemetry: steps * RECORDS_PER_STEP,
});

/** Processes that own one partition one after the other, and what it must hold. */
class World {
  readonly dir = mkdtempSync(join(tmpdir(), 'gridfold-mirror-'));
  readonly steps: Step[] = [];
  /** What the state is after so many steps. */
  readonly models = new Map<number, StateModel>([[0, emptyModel()]]);
  readonly restoredFrom: Record<string, number> = {};
  log!: Log;
  state!: PartitionState;
  mirror!: Mirror;
  #raw!: Log;
  #claim!: Claim;
  #left = Number.POSITIVE_INFINITY;
  #fresh = 0;
  #saved = -1;

  async open(): Promise<void> {
    this.#raw = await openEmbeddedLog({ dir: join(this.dir, 'log'), partitions: 1 });
    const log = compacted(this.#raw, TOPIC);
    this.log = new Proxy(log, {
      get: (target, name) => (name === 'publish' ? this.#publish : target[name as keyof Log]),
    });
  }

  /** The process that takes over; the one before it is let go as it is. */
  async take(to: 'A' | 'B' | 'empty'): Promise<void> {
    await this.state?.close();
    const dir = join(this.dir, to === 'empty' ? `empty-${this.#fresh++}` : to);
    const open: OpenState = (usable, from, replaceWith) =>
      openPartitionState({ ...this.#options(dir), usable, skipNewest: from === 'older', replaceWith });
    this.#claim = await this.log.claim('journal', 0);
    this.mirror = await Mirror.open(this.log, TOPIC, 0, { bytes: 1 << 20, records: 4 });
    const context = {
      partition: 0,
      mirror: this.mirror,
      usable: () => true,
      isReplayable: () => true,
      say: (detail: Record<string, unknown>) => {
        expect(detail.mirror).toBeUndefined();
        this.#count(Object.keys(detail)[0]);
      },
    };
    this.state = await restoreMirrored(open, context, 'newest');
    const from = this.state.restored === null ? 0 : decodePosition(this.state.restored.position).commit;
    this.#saved = from;
    const model = copyModel(this.models.get(from) as StateModel);
    expect(comparable(contentOf(this.state, from), REACH)).toEqual(comparable(model, REACH));
    for (const again of this.steps.slice(from)) apply(this.state, model, again);
  }

  fold(steps: readonly Step[]): void {
    const model = copyModel(this.models.get(this.steps.length) as StateModel);
    for (const next of steps) {
      apply(this.state, model, next);
      this.steps.push(next);
    }
    this.models.set(this.steps.length, model);
  }

  async snapshot(pieces: number): Promise<void> {
    const position = positionAt(this.steps.length);
    if (this.#saved !== position.commit) {
      await this.state.snapshot({ position: encodePosition(position), versions: {} }, resolved);
    }
    this.#saved = position.commit;
    this.#left = pieces;
    await this.mirror.publish(this.#claim, this.state, position).catch((error) => {
      if (error !== lost) throw error;
    });
    this.#left = Number.POSITIVE_INFINITY;
  }

  /** Rows that stand in the topic. */
  async keys(): Promise<Buffer[]> {
    const keys: Buffer[] = [];
    const { start, end } = await this.log.latest(TOPIC, 0);
    for await (const rows of readRows(this.log, TOPIC, 0, { from: start, to: end })) {
      for (const { key } of rows) if (!key.equals(headKey) && !key.equals(markKey)) keys.push(key);
    }
    return keys;
  }

  async close(): Promise<void> {
    await this.state.close();
    await this.#raw.close();
    rmSync(this.dir, { recursive: true, force: true });
  }

  #publish: Log['publish'] = async (claim, records) => {
    if (this.#left-- <= 0) throw lost;
    await this.#raw.publish(claim, records);
  };

  #options(dir: string) {
    return testOptions(dir, { windowBytesPerBlock: REACH, windowChunkBytes: 128 });
  }

  #count(what: string): void {
    this.restoredFrom[what] = (this.restoredFrom[what] ?? 0) + 1;
  }
}

const lost = new Error('the process ended here');

test('whoever takes a partition over has the state that was folded, whatever was published of it', async () => {
  let restored = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 4, maxLength: 30 }), async (commands) => {
      const world = new World();
      await world.open();
      try {
        await world.take('A');
        for (const c of commands) {
          if (c.do === 'fold') world.fold(c.steps);
          else if (c.do === 'snapshot') await world.snapshot(c.pieces);
          else await world.take(c.to);
        }
        world.fold([{ type: 'change', asset: 1, value: 1 }]);
        await world.snapshot(Number.POSITIVE_INFINITY);
        const named = await (await world.state.export(null))!.named();
        for (const key of await world.keys()) expect(named.has(key), key.toString('hex')).toBe(true);
        await world.take('empty');
        restored += world.restoredFrom.restored_from ?? 0;
        expect(world.mirror.position).toEqual(positionAt(world.steps.length));
      } finally {
        await world.close();
      }
    }),
    { numRuns: Number(process.env.GRIDFOLD_RUNS ?? 60), seed: Number(process.env.GRIDFOLD_SEED ?? 20_261_126) },
  );
  expect(restored).toBeGreaterThan(60);
});
