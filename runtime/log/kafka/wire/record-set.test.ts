import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordBatch } from '../../contract.ts';
import { Segment } from '../segment.ts';
import { compressions } from './compression.ts';
import { crc32c } from './crc32c.ts';
import { decodeRecords } from './decode-records.ts';
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

  it('that are damaged are refused, never read beyond their bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 20 }),
        fc.nat(),
        fc.nat({ max: 255 }),
        async (records, at, byte) => {
          const batch = await stored(records, 0);
          batch[61 + (at % (batch.length - 61))] = byte;
          const found = await readAll(new Segment(batch, 0, [])).catch((error: Error) => error);
          if (found instanceof Error) return;
          for (const { count, keyStart, keyEnd, valueStart, valueEnd } of found) {
            for (let i = 0; i < count; i++) {
              expect(keyStart[i] <= keyEnd[i] && keyEnd[i] <= valueStart[i] && valueStart[i] <= valueEnd[i]).toBe(true);
              expect(valueEnd[i]).toBeLessThanOrEqual(batch.length);
            }
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('cannot claim more records than their bytes hold', () => {
    expect(() => decodeRecords(Buffer.alloc(100), 0, 100, 2 ** 30)).toThrow('claims 1073741824 records in 100 bytes');
  });

  it('carry the checksum of the standard', () => {
    const check = Buffer.from('123456789');
    expect(crc32c(check, 0, check.length)).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(32), 0, 32)).toBe(0x8a9136aa);
  });
});
