import type { KafkaMessage } from 'kafkajs';
import { expect, test } from 'vitest';
import { RecordReader } from '../../../runtime/shard/record-reader.ts';
import { batchesOf, HeldLog } from './held-log.ts';

const message = (offset: number, timestamp: number, value: string): KafkaMessage => ({
  key: Buffer.from('k'),
  value: Buffer.from(value),
  timestamp: String(timestamp),
  offset: String(offset),
  attributes: 0,
  headers: {},
});

test('a batch ends at a hole, and where the time changes', () => {
  const batches = batchesOf([message(0, 5, 'a'), message(1, 5, 'b'), message(2, 6, 'c'), message(4, 6, 'd')]);
  expect(batches.map(({ baseOffset, count, timestamp }) => [baseOffset, count, timestamp])).toEqual([
    [0, 2, 5],
    [2, 1, 6],
    [4, 1, 6],
  ]);
});

test('a reader passes the holes, and ends below the markers', async () => {
  const batches = batchesOf([message(1, 5, 'a'), message(3, 5, 'b')]);
  const log = new HeldLog(1, new Map([['t/0', batches]]), new Map([['t/0', { start: 0, end: 5 }]]));
  const reader = new RecordReader(log, 't', 0, 0);
  const values: string[] = [];
  for (let run = await reader.peek(10); run !== null; run = await reader.peek(10)) {
    const { bytes, valueStart, valueEnd } = run.batch;
    for (let i = run.from; i < run.to; i++)
      values.push(Buffer.from(bytes.subarray(valueStart[i], valueEnd[i])).toString());
    reader.advance(run);
  }
  expect(values).toEqual(['a', 'b']);
  expect(log.afterLast('t', 0)).toBe(4);
  expect(log.count('t')).toBe(2);
});

test('what a reader was given twice or backwards is refused', () => {
  expect(() => batchesOf([message(1, 5, 'a'), message(1, 5, 'a')])).toThrow('offset 1 was read after 1');
});
