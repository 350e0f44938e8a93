import { GridfoldError } from '../kernel/errors.ts';
import type {
  AppendRecord,
  Claim,
  CommitBatch,
  Committed,
  Extent,
  KeyedRecord,
  Log,
  RecordBatch,
  Retention,
} from './contract.ts';

export interface ForkOptions {
  /** The log whose input is folded once more. It is read, never written, and not closed here. */
  readonly source: Log;
  /** Holds everything that the second fold says: journals, derived events, dead letters. Closed with the fork. */
  readonly own: Log;
  /** Topics that are read from `source`, with the offset by partition below which nothing is read. */
  readonly inputs: ReadonlyMap<string, readonly number[]>;
}

const NONE = new Uint32Array(0);
const NOTHING = new Uint8Array(0);

/**
 * A log for a second fold of the same input: the input topics are those of another log, every other topic is its own.
 * What lies below the first offset of an input is a hole, as a transaction leaves one, so offsets, and with them the
 * ids of derived events, are those of the source.
 */
export class ForkedLog implements Log {
  readonly partitions: number;
  readonly shared: boolean;
  readonly #source: Log;
  readonly #own: Log;
  readonly #inputs: ReadonlyMap<string, readonly number[]>;

  /** Throws `partitions_differ` (fix-configuration): a fold belongs to the partitions of its input. */
  constructor({ source, own, inputs }: ForkOptions) {
    if (source.partitions !== own.partitions) {
      throw new GridfoldError(
        'partitions_differ',
        'fix-configuration',
        `the input has ${source.partitions} partitions, what is folded from it ${own.partitions}: drop it and begin again`,
      );
    }
    this.partitions = source.partitions;
    this.shared = own.shared;
    this.#source = source;
    this.#own = own;
    this.#inputs = inputs;
  }

  async append(topic: string, partition: number, records: readonly AppendRecord[]): Promise<Extent> {
    if (this.#inputs.has(topic)) throw readOnly(topic);
    return this.#own.append(topic, partition, records);
  }

  async read(topic: string, partition: number, from: number, maxBytes: number): Promise<RecordBatch[]> {
    const first = this.#first(topic, partition);
    const isGone = this.#logOf(topic).extent(topic, partition).start > first;
    if (from < first && !isGone) return [hole(first)];
    return this.#logOf(topic).read(topic, partition, from, maxBytes);
  }

  extent(topic: string, partition: number): Extent {
    return this.#withHole(topic, partition, this.#logOf(topic).extent(topic, partition));
  }

  async latest(topic: string, partition: number): Promise<Extent> {
    return this.#withHole(topic, partition, await this.#logOf(topic).latest(topic, partition));
  }

  onAppend(topic: string, partition: number, listener: () => void): () => void {
    return this.#logOf(topic).onAppend(topic, partition, listener);
  }

  claim(journal: string, partition: number): Promise<Claim> {
    return this.#own.claim(journal, partition);
  }

  /** The offsets of inputs are not passed on: the group's belong to the first fold. */
  commit(claim: Claim, batch: CommitBatch): Promise<number> {
    const inputs = new Map([...(batch.inputs ?? [])].filter(([topic]) => !this.#inputs.has(topic)));
    return this.#own.commit(claim, { ...batch, inputs });
  }

  publish(claim: Claim, records: ReadonlyMap<string, readonly KeyedRecord[]>): Promise<void> {
    return this.#own.publish(claim, records);
  }

  committed(journal: string, partition: number): Promise<Committed> {
    return this.#own.committed(journal, partition);
  }

  /** The input is the first fold's to trim. */
  async trim(topic: string, partition: number, retention: Retention, notPast: number): Promise<Extent> {
    if (this.#inputs.has(topic)) return this.extent(topic, partition);
    return this.#own.trim(topic, partition, retention, notPast);
  }

  close(): Promise<void> {
    return this.#own.close();
  }

  #logOf(topic: string): Log {
    return this.#inputs.has(topic) ? this.#source : this.#own;
  }

  #first(topic: string, partition: number): number {
    return this.#inputs.get(topic)?.[partition] ?? 0;
  }

  /** Begins at 0 while everything that is to be read is there: a hole is no loss. */
  #withHole(topic: string, partition: number, { start, end }: Extent): Extent {
    return start <= this.#first(topic, partition) ? { start: 0, end } : { start, end };
  }
}

/** Says that reading goes on at `next`. */
function hole(next: number): RecordBatch {
  const starts = { keyStart: NONE, keyEnd: NONE, valueStart: NONE, valueEnd: NONE };
  return { baseOffset: next, count: 0, timestamp: 0, bytes: NOTHING, ...starts };
}

function readOnly(topic: string): GridfoldError {
  return new GridfoldError('log_read_only', 'stop', `${topic} is the input of a second fold and is not written by it`);
}
