import { GridfoldError } from '../kernel/errors.ts';
import type { Log, RecordBatch } from '../log/contract.ts';

const READ_BYTES = 1 << 20;

/** A stretch of one batch: records with indices `[from, to)`. */
export interface Run {
  readonly batch: RecordBatch;
  readonly from: number;
  readonly to: number;
}

const endOf = ({ baseOffset, count }: RecordBatch) => baseOffset + count;

/** What is needed of a log to read it. */
export type LogReads = Pick<Log, 'extent' | 'read'>;

/** Reads one topic of one partition forward from a position, in stretches of any length. */
export class RecordReader {
  readonly log: LogReads;
  readonly topic: string;
  readonly partition: number;
  #ahead: RecordBatch[] = [];
  /** Offset of the next record. */
  next: number;

  constructor(log: LogReads, topic: string, partition: number, next: number) {
    this.log = log;
    this.topic = topic;
    this.partition = partition;
    this.next = next;
  }

  /** The next at most `count` records that lie in one batch, or null at the end of the log. Passes holes, and no record. */
  async peek(count: number): Promise<Run | null> {
    for (;;) {
      while (this.#ahead.length > 0 && endOf(this.#ahead[0]) <= this.next) this.#ahead.shift();
      const batch = this.#ahead[0];
      if (batch !== undefined && batch.count > 0) {
        this.next = Math.max(this.next, batch.baseOffset);
        const from = this.next - batch.baseOffset;
        return { batch, from, to: Math.min(batch.count, from + count) };
      }
      if (batch !== undefined) {
        this.next = batch.baseOffset;
        continue;
      }
      if (this.log.extent(this.topic, this.partition).end <= this.next) return null;
      this.#ahead = await this.log.read(this.topic, this.partition, this.next, READ_BYTES);
      if (this.#ahead.length === 0) return null;
    }
  }

  advance(run: Run): void {
    this.next = run.batch.baseOffset + run.to;
  }

  /** Calls `use` for the next exactly `count` records; throws `log_short` where the log ends before. */
  async take(count: number, use: (run: Run) => void | Promise<void>): Promise<void> {
    for (let left = count; left > 0; ) {
      const run = await this.peek(left);
      if (run === null) {
        throw new GridfoldError(
          'log_short',
          'stop',
          `${this.topic}-${this.partition} ends at ${this.next}, but the journal says that ${left} records more were folded`,
        );
      }
      await use(run);
      this.advance(run);
      left -= run.to - run.from;
    }
  }
}
