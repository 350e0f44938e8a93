import type { DuckDbSink } from '../../actors/sinks/duckdb/sink.ts';
import { SinkRunner } from '../../actors/sinks/runner.ts';
import type { Clock } from '../../runtime/kernel/clock.ts';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { type Log, topics } from '../../runtime/log/contract.ts';
import { ForkedLog } from '../../runtime/log/fork.ts';
import type { ActorType } from '../../runtime/shard/contract.ts';
import type { ShardObserver } from '../../runtime/shard/shard.ts';
import type { Config } from '../../runtime/system/config.ts';
import { Runtime } from '../../runtime/system/runtime.ts';
import type { RuntimeOptions } from '../../runtime/system/runtime-options.ts';
import { type Offsets, type SetRecord, setFolder } from './reprocess-record.ts';
import { running } from './sink.ts';

export interface SetParts {
  readonly config: Config;
  readonly types: readonly ActorType[];
  readonly clock: Clock;
  /** The input of the live fold. */
  readonly source: Log;
  /** The live tables; the set's stand beside them. */
  readonly tables: DuckDbSink;
  /** The log that holds what a set says, and the input of a set of files. */
  readonly openLog: (name: string) => Promise<Log>;
  readonly message: RuntimeOptions['message'];
}

/** A second fold at work: a runtime with a log, states and tables of its own. */
export class ReprocessedSet {
  readonly engine: Runtime;
  readonly own: Log;
  readonly sink: DuckDbSink;
  readonly #name: string;
  readonly #runner: SinkRunner;
  readonly #deviceType: string;
  #error: string | null = null;

  /** Resolves when every partition is at work; what keeps one from it is thrown, and nothing is left open. */
  static async open(record: SetRecord, parts: SetParts): Promise<ReprocessedSet> {
    const sink = await parts.tables.beside(record.name);
    let own: Log;
    try {
      own = await parts.openLog(record.name);
    } catch (error) {
      await sink.close();
      throw error;
    }
    let set: ReprocessedSet | null = null;
    try {
      set = new ReprocessedSet(record, parts, own, sink);
      await set.#start();
      return set;
    } catch (error) {
      if (set !== null) await set.close();
      else await Promise.all([sink.close(), own.close()]);
      throw error;
    }
  }

  private constructor(record: SetRecord, parts: SetParts, own: Log, sink: DuckDbSink) {
    const { config, types, clock, source, message } = parts;
    this.#name = record.name;
    this.#deviceType = types[0].name;
    this.own = own;
    this.sink = sink;
    const log = record.input === 'files' ? own : new ForkedLog({ source, own, inputs: inputsOf(record) });
    this.engine = new Runtime({
      ...config,
      types,
      log,
      clock,
      dataDir: setFolder(config.dataDir, record.name),
      // One process has the set, and what it lacks can be folded again.
      mirror: false,
      acceptLoss: false,
      observer: () => this.#observer(message),
      message,
    });
    this.#runner = new SinkRunner({
      parent: this.engine.system as never,
      log,
      sink,
      clock,
      commitIntervalMs: config.sinkCommitIntervalMs,
      onError: (error, final) => {
        if (final) this.#error = error.message;
      },
    });
  }

  /** Why it does not go on; null while it does. */
  get error(): string | null {
    return this.#error;
  }

  get rows(): number {
    return this.#runner.status().rows;
  }

  /** How far it has committed, by partition of its input. */
  reached(): Offsets {
    const telemetry: number[] = [];
    const lifecycle: number[] = [];
    for (const { actor, partition, position } of this.engine.status().partitions) {
      if (actor !== this.#deviceType) continue;
      telemetry[partition] = position.telemetry;
      lifecycle[partition] = position.lifecycle;
    }
    return { telemetry, lifecycle };
  }

  /** Resolves when everything that stands in its input now is folded and stands in its tables. */
  settled(): Promise<void> {
    return this.engine.settled();
  }

  /** Commits and snapshots, so that it goes on where it ended. */
  async close(): Promise<void> {
    await this.#runner.stop();
    await this.engine.stop();
    await this.own.close();
  }

  async #start(): Promise<void> {
    await this.#runner.start();
    await this.engine.start([running(this.#runner, this.sink)]);
  }

  #observer(message: RuntimeOptions['message']): ShardObserver {
    const set = this.#name;
    return {
      phase() {},
      committed() {},
      snapshot() {},
      folded() {},
      quarantined: (partition, kind, serial, error) =>
        message('warn', 'A fold failed; the asset is quarantined', {
          set,
          partition,
          kind,
          serial,
          error: String(error),
        }),
      failed: (partition, error) => {
        // What may pass is tried again.
        if (error instanceof GridfoldError && error.reaction === 'retry') return;
        this.#error = error instanceof Error ? error.message : String(error);
        message('error', 'A partition of a reprocessed set failed', { set, partition, error: this.#error });
      },
    };
  }
}

function inputsOf({ firsts }: SetRecord): ReadonlyMap<string, readonly number[]> {
  return new Map([
    [topics.telemetry, firsts.telemetry],
    [topics.lifecycle, firsts.lifecycle],
  ]);
}
