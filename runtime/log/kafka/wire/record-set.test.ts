import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordBatch } from '../../contract.ts';
import { Segment } from '../segment.ts';
import { CHECKED_FROM } from './batch-header.ts';
import { compressions } from './compression.ts';
import { decodeRecords, type RecordTable } from './decode-records.ts';
import { encodeBatch, encodeBody, type WireRecord } from './record-set.ts';

const identity = { producerId: 2 ** 40 + 7, producerEpoch: 3, sequence: 12, isTransactional: false };
const bytes = fc.uint8Array({ maxLength: 200 });
const record = fc.record({ key: fc.option(bytes), value: fc.option(bytes) });

/** A stored batch at `baseOffset`, as a broker would keep it. */
async function stored(records: WireRecord[], baseOffset: number, compression = compressions[0]): Promise<Buffer> {
  const batch = encodeBatch(await encodeBody(records, 0, records.length, compression), identity, 1.7e12);
  batch.writeUInt32BE(baseOffset, 4);
  return batch;
}

async function readAll(segment: Segment): Promise<RecordBatch[]> {
  const batches: RecordBatch[] = [];
  while (!segment.isRead) batches.push(...(await segment.next()));
  return batches;
}

function contents({ count, bytes: all, keyStart, keyEnd, valueStart, valueEnd }: RecordBatch): [string, string][] {
  const hex = (from: number, to: number) => Buffer.from(all.subarray(from, to)).toString('hex');
  return Array.from({ length: count }, (_, i) => [hex(keyStart[i], keyEnd[i]), hex(valueStart[i], valueEnd[i])]);
}

/** Null where the bytes cannot be records. */
function read(body: Buffer, count: number): RecordTable | null {
  try {
    return decodeRecords(body, 0, body.length, count);
  } catch {
    return null;
  }
}

const hex = (value: Uint8Array | null) => Buffer.from(value ?? []).toString('hex');

describe('batches of records', () => {
  it('come back as they were written, with every codec', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 80 }),
        fc.constantFrom(...compressions),
        async (records, codec) => {
          const segment = new Segment(await stored(records, 500, codec), 500, []);
          expect(segment.nextOffset).toBe(500 + records.length);
          const [batch, ...rest] = await readAll(segment);
          expect(rest).toEqual([]);
          expect([batch.baseOffset, batch.timestamp]).toEqual([500, 1.7e12]);
          expect(contents(batch)).toEqual(records.map(({ key, value }) => [hex(key), hex(value)]));
        },
      ),
    );
  });

  it('are cut off at the end of an answer without harm', async () => {
    const whole = Buffer.concat([
      await stored([{ key: null, value: Buffer.from('a') }], 0),
      await stored([{ key: null, value: Buffer.from('b') }], 1),
    ]);
    for (let size = 0; size <= whole.length; size++) {
      const segment = new Segment(whole.subarray(0, size), 0, []);
      const batches = await readAll(segment);
      expect(batches.reduce((sum, { count }) => sum + count, 0)).toBe(segment.nextOffset);
    }
  });

  it('that are damaged are refused', async () => {
    const batches = fc.array(record, { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(batches, fc.nat(), fc.integer({ min: 1, max: 255 }), async (records, at, flip) => {
        const batch = await stored(records, 0);
        batch[CHECKED_FROM + (at % (batch.length - CHECKED_FROM))] ^= flip;
        expect(() => new Segment(batch, 0, [])).toThrow();
      }),
    );
  });

  it('are never read beyond their bytes, whatever these say', async () => {
    const batches = fc.array(record, { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(batches, fc.nat(), fc.nat({ max: 255 }), async (records, at, byte) => {
        const { body } = await encodeBody(records, 0, records.length, 'none');
        body[at % body.length] = byte;
        const found = read(body, records.length);
        if (found === null) return;
        const { keyStart, keyEnd, valueStart, valueEnd } = found;
        for (let i = 0; i < records.length; i++) {
          expect(keyStart[i] <= keyEnd[i] && keyEnd[i] <= valueStart[i] && valueStart[i] <= valueEnd[i]).toBe(true);
          expect(valueEnd[i]).toBeLessThanOrEqual(body.length);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('cannot claim more records than their bytes hold', () => {
    expect(() => decodeRecords(Buffer.alloc(100), 0, 100, 2 ** 30)).toThrow('claims 1073741824 records in 100 bytes');
  });
});
