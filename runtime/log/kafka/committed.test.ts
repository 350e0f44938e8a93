import { describe, expect, it } from 'vitest';
import { type FetchOnce, newestFrame } from './committed.ts';
import { isTransient } from './failures.ts';
import { encodeFrame } from './journal-frame.ts';
import { Segment } from './segment.ts';
import { encodeBatch, encodeBody } from './wire/record-set.ts';

const identity = { producerId: 1, producerEpoch: 0, sequence: 0, isTransactional: false };
const NOTHING = Buffer.alloc(0);

/** A stored journal record at `offset`. */
async function stored(offset: number): Promise<Buffer> {
  const value = encodeFrame({
    generation: 1,
    position: Buffer.from([offset]),
    inputs: new Map(),
    journal: Buffer.alloc(3),
  });
  const batch = encodeBatch(await encodeBody([{ key: null, value }], 0, 1, 'none'), identity, 0);
  batch.writeUInt32BE(offset, 4);
  return batch;
}

/** A leader that holds journal records 0..`held` - 1 and gives out those below `given`, as a new leader may for a while. */
function leader(held: number, given: number): FetchOnce {
  return {
    async once(topic, partition, from) {
      const batches = await Promise.all(Array.from({ length: Math.max(0, given - from) }, (_, i) => stored(from + i)));
      const bytes = batches.length === 0 ? NOTHING : Buffer.concat(batches);
      return { topic, partition, error: null, segment: new Segment(bytes, from, []), start: 0, end: held };
    },
  };
}

describe('the newest commit of a journal', () => {
  it('is its last record', async () => {
    expect(await newestFrame(leader(9, 9), 'journal', 0, { start: 0, end: 9 })).toMatchObject({ next: 9 });
    expect(await newestFrame(leader(0, 0), 'journal', 0, { start: 0, end: 0 })).toBeNull();
  });

  it('is not an older one where a leader does not give out all that is committed', async () => {
    for (const given of [0, 4, 7, 8]) {
      const looked = newestFrame(leader(9, given), 'journal', 0, { start: 0, end: 9 });
      const error = await looked.then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(isTransient(error)).toBe(true);
    }
  });
});
