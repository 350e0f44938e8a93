import type { RecordBatch } from '../contract.ts';
import type { Segment } from './segment.ts';

/** Decodes the next stored batch of a segment; throws GridfoldErrors. */
export type Decode = (segment: Segment) => Promise<RecordBatch[]>;

const endOf = ({ baseOffset, count }: RecordBatch) => baseOffset + count;

/** What was fetched of one partition ahead of its reader. */
export class Feed {
  readonly topic: string;
  readonly partition: number;
  /** Where to fetch on. */
  position: number;
  /** Offset of the request that is under way for it, or null. */
  asked: number | null = null;
  /** True while its reader fetches by itself. */
  isHeld = false;
  /** When somebody last read here, monotonic ms. */
  readAt = Number.NEGATIVE_INFINITY;
  /** What the broker refused last; the next reader is told. */
  error: unknown = null;
  readonly #decode: Decode;
  #segments: Segment[] = [];
  #decoded: RecordBatch[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  #waiters: (() => void)[] = [];

  constructor(topic: string, partition: number, position: number, decode: Decode) {
    this.topic = topic;
    this.partition = partition;
    this.position = position;
    this.#decode = decode;
  }

  /** Whether a reader waits for the next answer. */
  get isAwaited(): boolean {
    return this.#waiters.length > 0;
  }

  get bytes(): number {
    let sum = 0;
    for (const segment of this.#segments) sum += segment.bytesLeft;
    for (const batch of this.#decoded) sum += sizeOf(batch);
    return sum;
  }

  /** Whether what follows `from` has been fetched. */
  holds(from: number): boolean {
    const first = this.#decoded[0]?.baseOffset ?? this.#segments[0]?.offset ?? this.position;
    return from >= first && from < this.position;
  }

  /** Drops what was fetched and goes on at `position`, or behind `segment`. */
  moveTo(position: number, segment: Segment | null = null): void {
    this.#decoded = [];
    this.#segments = segment === null || segment.isRead ? [] : [segment];
    this.position = segment?.nextOffset ?? position;
  }

  /** `segment` holds something that begins where the feed ends. */
  add(segment: Segment): void {
    this.#segments.push(segment);
    this.position = segment.nextOffset;
  }

  /** An answer for it has come, or a failure. */
  answered(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  nextAnswer(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** The batch that holds `from` or the first after it, and those behind it under `maxBytes`; forgets those before. */
  read(from: number, maxBytes: number): Promise<RecordBatch[]> {
    const turn = this.#turn.then(() => this.#read(from, maxBytes));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #read(from: number, maxBytes: number): Promise<RecordBatch[]> {
    // Those of now: where the feed moves elsewhere meanwhile, this reader still gets what it asked for.
    const decoded = this.#decoded;
    const segments = this.#segments;
    while (decoded.length > 0 && endOf(decoded[0]) <= from) decoded.shift();
    let size = decoded.reduce((sum, batch) => sum + sizeOf(batch), 0);
    while ((size < maxBytes || decoded.length === 0) && segments.length > 0) {
      for (const batch of await this.#decode(segments[0])) {
        if (endOf(batch) <= from) continue;
        pushBatch(decoded, batch);
        size += sizeOf(batch);
      }
      if (segments[0].isRead) segments.shift();
    }
    return within(decoded, maxBytes);
  }
}

/** An empty batch says where reading goes on; once more is known behind it, it says nothing. */
export function pushBatch(batches: RecordBatch[], batch: RecordBatch): void {
  if (batches.at(-1)?.count === 0) batches.pop();
  batches.push(batch);
}

/** The first batches whose sum stays under `maxBytes`, one at the least. */
export function within(batches: readonly RecordBatch[], maxBytes: number): RecordBatch[] {
  let size = 0;
  const end = batches.findIndex((batch, i) => {
    size += sizeOf(batch);
    return i > 0 && size > maxBytes;
  });
  return end < 0 ? [...batches] : batches.slice(0, end);
}

export function sizeOf({ count, keyStart, valueEnd }: RecordBatch): number {
  return count === 0 ? 0 : valueEnd[count - 1] - keyStart[0];
}
