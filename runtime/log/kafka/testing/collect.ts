import type { Log } from '../../contract.ts';

export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

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
  const found: string[] = [];
  for (let next = from; next < end; ) {
    for (const { baseOffset, count, bytes, valueStart, valueEnd } of await log.read(topic, partition, next, 1 << 20)) {
      for (let i = Math.max(0, next - baseOffset); i < count; i++) {
        found.push(text(bytes.subarray(valueStart[i], valueEnd[i])));
      }
      next = Math.max(next, baseOffset + count);
    }
  }
  return found;
}

/** Reads on from `from`, waiting for the log to tell of more, until `count` values are there. */
export async function nextValues(log: Log, topic: string, from: number, count: number): Promise<string[]> {
  const found: string[] = [];
  for (let next = from; found.length < count; ) {
    const told = Promise.withResolvers<void>();
    const unsubscribe = log.onAppend(topic, 0, told.resolve);
    const batches = await log.read(topic, 0, next, 1 << 20);
    if (batches.length === 0) await told.promise;
    unsubscribe();
    for (const { baseOffset, count: records, bytes, valueStart, valueEnd } of batches) {
      for (let i = Math.max(0, next - baseOffset); i < records; i++) {
        found.push(text(bytes.subarray(valueStart[i], valueEnd[i])));
      }
      next = Math.max(next, baseOffset + records);
    }
  }
  return found;
}

export const valued = (...values: string[]): { key: null; value: Uint8Array }[] =>
  values.map((value) => ({ key: null, value: Buffer.from(value, 'latin1') }));

/** A commit of these derived values whose journal and position say `name`. */
export function commitOf(name: string, derived: readonly string[], inputs?: ReadonlyMap<string, number>) {
  return {
    outputs: new Map([['derived', valued(...derived)]]),
    journal: Buffer.from(name),
    position: Buffer.from(name),
    inputs,
  };
}
