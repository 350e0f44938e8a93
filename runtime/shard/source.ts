import type { Log } from '../log/contract.ts';
import type { ActorTopics, InputTopic } from './contract.ts';
import type { ShardPosition } from './position.ts';
import { RecordReader, type Run } from './record-reader.ts';

/** How many runs may be on their way to the shard; then the source pauses until one is folded. */
const CREDITS = 2;
const RUN_RECORDS = 1024;

/** What a source tells its shard: a run to fold, or that up to `next` a topic holds nothing that was not delivered. */
export interface SourceTarget {
  run(topic: InputTopic, run: Run): void;
  seen(topic: InputTopic, next: number): void;
}

/**
 * Merges the two input topics of a partition and hands runs to the shard, at most {@link CREDITS} ahead.
 * What was accepted first goes first; of two accepted at the same time the lifecycle record does. Any order would
 * do, since the journal records it.
 */
export class Source {
  readonly #target: SourceTarget;
  readonly #telemetry: RecordReader;
  readonly #lifecycle: RecordReader;
  readonly #unsubscribe: (() => void)[];
  readonly #told: Record<InputTopic, number>;
  #credits = CREDITS;
  #wake: (() => void) | null = null;
  #stopped = false;
  #finished: Promise<void> = Promise.resolve();

  constructor(
    log: Log,
    { readings, lifecycle }: ActorTopics,
    partition: number,
    from: ShardPosition,
    target: SourceTarget,
  ) {
    this.#target = target;
    this.#told = { telemetry: from.telemetry, lifecycle: from.lifecycle };
    this.#telemetry = new RecordReader(log, readings, partition, from.telemetry);
    this.#lifecycle = new RecordReader(log, lifecycle, partition, from.lifecycle);
    this.#unsubscribe = [readings, lifecycle].map((topic) => log.onAppend(topic, partition, () => this.#signal()));
  }

  start(failed: (error: unknown) => void): void {
    this.#finished = this.#run().catch(failed);
  }

  /** The shard has folded a run. */
  credit(): void {
    this.#credits += 1;
    this.#signal();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#signal();
    await this.#finished;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      if (this.#credits === 0) {
        await this.#pause();
        continue;
      }
      const waiting = this.#pause();
      const telemetry = await this.#telemetry.peek(RUN_RECORDS);
      const lifecycle = await this.#lifecycle.peek(RUN_RECORDS);
      if (this.#stopped) return;
      if (telemetry === null && lifecycle === null) {
        this.#tellSeen('telemetry', this.#telemetry.next);
        this.#tellSeen('lifecycle', this.#lifecycle.next);
        await waiting;
        continue;
      }
      const first =
        lifecycle !== null && (telemetry === null || lifecycle.batch.timestamp <= telemetry.batch.timestamp);
      const run = (first ? lifecycle : telemetry) as Run;
      const reader = first ? this.#lifecycle : this.#telemetry;
      reader.advance(run);
      this.#credits -= 1;
      this.#told[first ? 'lifecycle' : 'telemetry'] = reader.next;
      this.#target.run(first ? 'lifecycle' : 'telemetry', run);
    }
  }

  /** Offsets without a record behind what was delivered last: markers of transactions. */
  #tellSeen(topic: InputTopic, next: number): void {
    if (next <= this.#told[topic]) return;
    this.#told[topic] = next;
    this.#target.seen(topic, next);
  }

  /** Resolves at the next signal. Taken before the log is looked at, so that no append slips between. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #signal(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
