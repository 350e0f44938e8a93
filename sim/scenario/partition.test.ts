import { expect, it } from 'vitest';
import { toyType } from '../../runtime/shard/testing/toy.ts';
import { Partition } from './partition.ts';

const START = Date.UTC(2026, 0, 1);
const key = Buffer.from('LAMP');
const reading = (record: object) => Buffer.from(JSON.stringify({ serial: 'LAMP', ...record }));

it('says what a fold said, and why one threw', async () => {
  const partition = await Partition.open(toyType);
  try {
    partition.tell('telemetry', key, reading({ deviceTime: START, mode: 'dim', level: 5 }), START, START);
    expect(partition.take().events.map((e) => [e.type, e.data.mode])).toEqual([['stay', 'dim']]);
    expect(partition.take().events).toEqual([]);
    expect(partition.publish()).toBe(true);
    expect(partition.publish()).toBe(false);
    expect(partition.take().events.map((e) => e.type)).toEqual(['sum']);
    partition.advance(START + 240_000);
    expect(partition.take().events.map((e) => e.type)).toEqual(['silence']);
    partition.tell('telemetry', key, reading({ deviceTime: START + 1, note: 'poison' }), START + 240_000, START);
    expect(partition.failures).toEqual(['the fold of lamp LAMP threw: Error: poisoned']);
    expect(partition.take().deadLetters.map((d) => [d.offset, d.reason])).toEqual([[1, 'fold_failed']]);
    expect(partition.view('NOBODY')).toBeNull();
  } finally {
    await partition.close();
  }
});
