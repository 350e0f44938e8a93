import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PartitionState } from '../../../snapshots/contract.ts';
import { openPartitionState } from '../../../snapshots/open.ts';
import { resolved, testOptions } from '../../../snapshots/testing/fixture.ts';
import {
  apply,
  comparable,
  contentOf,
  copyModel,
  emptyModel,
  type StateModel,
} from '../../../snapshots/testing/model.ts';
import type { Step } from '../../../snapshots/testing/model.ts';
import type { Claim, Log } from '../../log/contract.ts';
import { openEmbeddedLog } from '../../log/embedded/embedded.ts';
import { Mirror, type MirrorTopics } from '../mirror.ts';
import { headKey, markKey } from '../mirror-head.ts';
import { type OpenState, restoreMirrored } from '../mirror-restore.ts';
import { readRows } from '../mirror-topic.ts';
import { decodePosition, encodePosition, type ShardPosition, startPosition } from '../position.ts';
import { compacted } from './compacted.ts';

export const TOPIC = 'snapshots';
export const WINDOWS = 'snapshot-windows';
const REACH = 600;
/** Three steps are a short replay, four are not. */
const RECORDS_PER_STEP = 60_000;

/** What stands for the end of a process in the middle of a publication. */
export const lost = new Error('the process ended here');

export const positionAt = (steps: number): ShardPosition => ({
  ...startPosition(),
  commit: steps,
  telemetry: steps * RECORDS_PER_STEP,
});

/** What owns the partition now, with what it holds of it. */
export interface Owner {
  readonly claim: Claim;
  readonly mirror: Mirror;
  readonly state: PartitionState;
}

/** Processes that own one partition one after the other, on a log whose snapshots topic is compacted at once. */
export class MirrorWorld {
  readonly dir: string;
  readonly steps: Step[] = [];
  /** What restoring said, by its first word. */
  readonly said: Record<string, number> = {};
  readonly log: Log;
  /** Where owners from now on publish. */
  topics: MirrorTopics;
  owner!: Owner;
  readonly #raw: Log;
  /** What the state is after so many steps. */
  readonly #models = new Map<number, StateModel>([[0, emptyModel()]]);
  #piecesLeft = Number.POSITIVE_INFINITY;
  #empties = 0;
  #snapshotAt = 0;
  /** What reading windows waits for. */
  #windowsHeld: PromiseWithResolvers<void> | null = null;

  private constructor(dir: string, raw: Log, topics: MirrorTopics) {
    this.topics = topics;
    this.dir = dir;
    this.#raw = raw;
    // A broker does that itself, when it comes to it.
    const log = raw.shared ? raw : compacted(compacted(raw, TOPIC), WINDOWS);
    const publish: Log['publish'] = async (claim, records) => {
      if (this.#piecesLeft-- <= 0) throw lost;
      await raw.publish(claim, records);
    };
    const read: Log['read'] = async (topic, ...place) => {
      if (topic === WINDOWS) await this.#windowsHeld?.promise;
      return log.read(topic, ...place);
    };
    const mine: Partial<Log> = { publish, read };
    this.log = new Proxy(log, {
      get: (target, name) => {
        const member = mine[name as keyof Log] ?? target[name as keyof Log];
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  }

  /** `log` is closed with the world. @default an embedded one in `dir` */
  static async open(
    dir = mkdtempSync(join(tmpdir(), 'gridfold-mirror-')),
    log?: Log,
    topics: MirrorTopics = { snapshots: TOPIC, windows: WINDOWS },
  ): Promise<MirrorWorld> {
    return new MirrorWorld(dir, log ?? (await openEmbeddedLog({ dir: join(dir, 'log'), partitions: 1 })), topics);
  }

  /**
   * Lets the owner go as it is; the process named takes over. Throws where its state is not what was folded. With
   * `holdWindows`, what it restores from the topic has no windows until {@link letWindowsCome}.
   */
  async take(to: 'A' | 'B' | 'empty', holdWindows = false): Promise<void> {
    await this.owner?.state.close();
    this.#windowsHeld?.resolve();
    this.#windowsHeld = holdWindows ? Promise.withResolvers() : null;
    const dir = join(this.dir, to === 'empty' ? `empty-${this.#empties++}` : to);
    const open: OpenState = (usable, from, replaceWith) =>
      openPartitionState({ ...worldOptions(dir), usable, skipNewest: from === 'older', replaceWith });
    const claim = await this.log.claim('journal', 0);
    const mirror = await Mirror.open(this.log, this.topics, 0, { bytes: 1 << 20, records: 4 });
    const say = (detail: Record<string, unknown>) => this.#count(Object.keys(detail)[0]);
    const context = { partition: 0, mirror, usable: () => true, isReplayable: () => true, say };
    const state = await restoreMirrored(open, context, 'newest');
    this.owner = { claim, mirror, state };
    if (state.filling === null) this.#windowsHeld?.resolve();
    const filled = state.filling?.done;
    if (holdWindows) filled?.catch(() => {});
    else await filled;
    const from = state.restored === null ? 0 : decodePosition(state.restored.position).commit;
    this.#snapshotAt = from;
    if (state.filling === null) this.#check(from);
    const model = copyModel(this.#modelAt(from));
    for (const step of this.steps.slice(from)) apply(state, model, step);
    if (state.filling === null) this.#check(this.steps.length);
  }

  /** Throws where the state, with its windows, is not what was folded. */
  async letWindowsCome(): Promise<void> {
    this.#windowsHeld?.resolve();
    await this.owner.state.filling?.done;
    this.#check(this.steps.length);
  }

  fold(steps: readonly Step[]): void {
    const model = copyModel(this.#modelAt(this.steps.length));
    for (const step of steps) {
      apply(this.owner.state, model, step);
      this.steps.push(step);
    }
    this.#models.set(this.steps.length, model);
  }

  /** What processes before folded and committed: known here from the steps alone. */
  async remember(steps: readonly Step[]): Promise<void> {
    const state = await openPartitionState(worldOptions(join(this.dir, 'oracle')));
    const model = emptyModel();
    for (const step of steps) {
      apply(state, model, step);
      this.steps.push(step);
      this.#models.set(this.steps.length, copyModel(model));
    }
    await state.close();
  }

  /** A snapshot; of its publication only the first `pieces` reach the log. */
  async snapshot(pieces = Number.POSITIVE_INFINITY): Promise<void> {
    const { claim, mirror, state } = this.owner;
    if (state.filling !== null) await this.letWindowsCome();
    const position = positionAt(this.steps.length);
    if (this.#snapshotAt !== position.commit) {
      await state.snapshot({ position: encodePosition(position), versions: {} }, resolved);
    }
    this.#snapshotAt = position.commit;
    this.#piecesLeft = pieces;
    await mirror.publish(claim, state, position).catch((error) => {
      if (error !== lost) throw error;
    });
    this.#piecesLeft = Number.POSITIVE_INFINITY;
  }

  /** Keys of the rows that stand in the topics. */
  async keys(): Promise<Buffer[]> {
    const keys: Buffer[] = [];
    for (const topic of [TOPIC, WINDOWS]) {
      const { start, end } = await this.log.latest(topic, 0);
      for await (const rows of readRows(this.log, topic, 0, { from: start, to: end })) {
        for (const { key } of rows) if (!key.equals(headKey) && !key.equals(markKey)) keys.push(key);
      }
    }
    return keys;
  }

  async close(): Promise<void> {
    await this.owner.state.close();
    await this.#raw.close();
    rmSync(this.dir, { recursive: true, force: true });
  }

  #modelAt(steps: number): StateModel {
    return this.#models.get(steps) as StateModel;
  }

  #check(steps: number): void {
    const [is, shall] = [contentOf(this.owner.state, steps), this.#modelAt(steps)].map((m) => comparable(m, REACH));
    const [a, b] = [is, shall].map((content) => JSON.stringify(content));
    if (a !== b) throw new Error(`after ${steps} steps the state is\n${a}\nand shall be\n${b}`);
  }

  #count(what: string): void {
    this.said[what] = (this.said[what] ?? 0) + 1;
  }
}

export function worldOptions(dir: string) {
  return testOptions(dir, { windowBytesPerBlock: REACH, windowChunkBytes: 128 });
}
