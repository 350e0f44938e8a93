import type { Log } from '../log/contract.ts';
import type { ActorType, InputSchemas, InputTopic } from './contract.ts';
import type { ShardPosition } from './position.ts';
import { RecordReader, type Run } from './record-reader.ts';

/** How many runs may be on their way to the shard; then the source pauses until one is folded. */
const CREDITS = 2;
const RUN_RECORDS = 1024;
const NONE: readonly number[] = [];

/** What a source tells its shard: a run to fold, or that up to `next` a topic holds nothing that was not delivered. */
export interface SourceTarget {
  /** `unknownSchemas`: ids that its records name and that do not exist. */
  run(topic: InputTopic, run: Run, unknownSchemas: readonly number[]): void;
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
  readonly #schemas: InputSchemas | undefined;
  readonly #stopping = new AbortController();
  #credits = CREDITS;
  #wake: (() => void) | null = null;
  #stopped = false;
  #finished: Promise<void> = Promise.resolve();

  constructor(
    log: Log,
    { topics: { readings, lifecycle }, schemas }: Pick<ActorType, 'topics' | 'schemas'>,
    partition: number,
    from: ShardPosition,
    target: SourceTarget,
  ) {
    this.#target = target;
    this.#schemas = schemas;
    this.#told = { telemetry: from.telemetry, lifecycle: from.lifecycle };
    this.#telemetry = new RecordReader(log, readings, partition, from.telemetry);
    this.#lifecycle = new RecordReader(log, lifecycle, partition, from.lifecycle);
    this.#unsubscribe = [readings, lifecycle].map((topic) => log.onAppend(topic, partition, () => this.#signal()));
  }

  start(failed: (error: unknown) => void): void {
    this.#finished = this.#run().catch((error) => {
      if (!this.#stopped) failed(error);
    });
  }

  /** The shard has folded a run. */
  credit(): void {
    this.#credits += 1;
    this.#signal();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopping.abort();
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
      const unknownSchemas = await this.#schemasOf(run);
      if (this.#stopped) return;
      this.#target.run(first ? 'lifecycle' : 'telemetry', run, unknownSchemas);
    }
  }

  /** Waits until every schema that the run names is at hand, or known not to exist; nothing overtakes the run meanwhile. */
  async #schemasOf({ batch, from, to }: Run): Promise<readonly number[]> {
    const missing = this.#schemas?.missing(batch, from, to);
    if (this.#schemas === undefined || missing === undefined || missing.size === 0) return NONE;
    return this.#schemas.resolve(missing, this.#stopping.signal);
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
