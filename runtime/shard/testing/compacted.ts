import type { Log, RecordBatch } from '../../log/contract.ts';

/** The log as a broker shows it that has compacted `topic`: only the newest record of each key, and no tombstones. */
export function compacted(log: Log, topic: string): Log {
  const read: Log['read'] = async (asked, partition, from, maxBytes) => {
    if (asked !== topic) return log.read(asked, partition, from, maxBytes);
    const newest = await newestOffsets(log, topic, partition);
    const batches = await log.read(topic, partition, from, maxBytes);
    return batches.flatMap((batch) => withHoles(batch, newest));
  };
  return new Proxy(log, {
    get: (target, name) => (name === 'read' ? read : bound(target, name as keyof Log)),
  });
}

function bound(log: Log, name: keyof Log): unknown {
  const member = log[name];
  return typeof member === 'function' ? member.bind(log) : member;
}

async function newestOffsets(log: Log, topic: string, partition: number): Promise<Set<number>> {
  const byKey = new Map<string, number>();
  const { start, end } = log.extent(topic, partition);
  for (let next = start; next < end; ) {
    for (const batch of await log.read(topic, partition, next, 1 << 20)) {
      for (let i = 0; i < batch.count; i++) {
        const key = Buffer.from(batch.bytes.subarray(batch.keyStart[i], batch.keyEnd[i])).toString('latin1');
        if (batch.valueStart[i] === batch.valueEnd[i]) byKey.delete(key);
        else byKey.set(key, batch.baseOffset + i);
      }
      next = batch.baseOffset + batch.count;
    }
  }
  return new Set(byKey.values());
}

/** One batch per stretch without a hole, and an empty one behind the last. */
function withHoles(batch: RecordBatch, kept: ReadonlySet<number>): RecordBatch[] {
  const parts: RecordBatch[] = [];
  const slice = (from: number, to: number): RecordBatch => ({
    ...batch,
    baseOffset: batch.baseOffset + from,
    count: to - from,
    keyStart: batch.keyStart.subarray(from, to),
    keyEnd: batch.keyEnd.subarray(from, to),
    valueStart: batch.valueStart.subarray(from, to),
    valueEnd: batch.valueEnd.subarray(from, to),
  });
  let from = 0;
  for (let i = 0; i <= batch.count; i++) {
    if (i < batch.count && kept.has(batch.baseOffset + i)) continue;
    if (i > from) parts.push(slice(from, i));
    from = i + 1;
  }
  parts.push(slice(batch.count, batch.count));
  return parts;
}
