import type { AppendRecord, CommitBatch, Log, RecordBatch } from '../contract.ts';

/** A record as tests compare it: bytes as Latin-1. */
export interface ReadRecord {
  readonly offset: number;
  readonly key: string;
  readonly value: string;
}

const READ_BYTES = 1 << 20;

export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

export const valuesOf = (records: readonly ReadRecord[]): string[] => records.map(({ value }) => value);

/** Reads on from `from` until `count` records are there, waiting for the log to tell of more. */
export async function nextRecords(
  log: Log,
  topic: string,
  partition: number,
  from: number,
  count: number,
): Promise<ReadRecord[]> {
  const found: ReadRecord[] = [];
  for (let next = from; found.length < count; ) {
    const told = Promise.withResolvers<void>();
    const unsubscribe = log.onAppend(topic, partition, told.resolve);
    const batches = await log.read(topic, partition, next, READ_BYTES);
    if (batches.length === 0) await told.promise;
    unsubscribe();
    for (const batch of batches) next = collect(batch, next, found);
  }
  return found;
}

export async function nextValues(log: Log, topic: string, from: number, count: number): Promise<string[]> {
  return valuesOf(await nextRecords(log, topic, 0, from, count));
}

/** The values of everything committed that the partition holds now. */
export async function allValues(log: Log, topic: string, partition = 0): Promise<string[]> {
  const { start, end } = await log.latest(topic, partition);
  return valuesBetween(log, topic, partition, start, end);
}

/** Values in `[from, end)`; `end` lies at or below what the log says it holds. */
export async function valuesBetween(
  log: Log,
  topic: string,
  partition: number,
  from: number,
  end: number,
): Promise<string[]> {
  const found: ReadRecord[] = [];
  for (let next = from; next < end; ) {
    for (const batch of await log.read(topic, partition, next, READ_BYTES)) next = collect(batch, next, found);
  }
  return valuesOf(found);
}

/** Adds the records of a batch from offset `next` on; returns where reading goes on. */
function collect(batch: RecordBatch, next: number, into: ReadRecord[]): number {
  const { baseOffset, count, bytes, keyStart, keyEnd, valueStart, valueEnd } = batch;
  for (let i = Math.max(0, next - baseOffset); i < count; i++) {
    const key = text(bytes.subarray(keyStart[i], keyEnd[i]));
    into.push({ offset: baseOffset + i, key, value: text(bytes.subarray(valueStart[i], valueEnd[i])) });
  }
  return Math.max(next, baseOffset + count);
}

export function record(value: string, key: string | null = null): AppendRecord {
  return { key: key === null ? null : Buffer.from(key, 'latin1'), value: Buffer.from(value, 'latin1') };
}

/** `NAME-0` and so on, under `key-0` and so on. */
export function numbered(count: number, name: string): AppendRecord[] {
  return Array.from({ length: count }, (_, i) => record(`${name}-${i}`, `key-${i}`));
}

export const valued = (...values: string[]): AppendRecord[] => values.map((value) => record(value));

/** A commit of these outputs by topic, whose journal says `journal`. */
export function commitWith(
  outputs: Record<string, readonly AppendRecord[]>,
  journal: string,
  position = journal,
): CommitBatch {
  return {
    outputs: new Map(Object.entries(outputs)),
    journal: Buffer.from(journal),
    position: Buffer.from(position),
  };
}

/** A commit of these derived values whose journal and position say `name`. */
export function commitOf(name: string, derived: readonly string[], inputs?: ReadonlyMap<string, number>): CommitBatch {
  return { ...commitWith({ derived: valued(...derived) }, name), inputs };
}
