import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lifecycle, type SourceRecord, type TelemetryRecord, telemetry } from '../record.ts';
import { collect } from './data.testing.ts';
import { degrade } from './degrade.ts';

const START = Date.UTC(2022, 0, 1);
const STEP_MS = 300_000;

function reading(i: number): TelemetryRecord {
  const deviceTime = new Date(START + i * STEP_MS).toISOString();
  return telemetry({
    serial: `A${i % 3}`,
    kind: 'powerwall',
    deviceTime,
    receiveTime: deviceTime,
    txid: `${i}`,
    fields: { powerW: i },
  });
}

const stamp = { eventTime: '2021-01-01T00:00:00Z', recordTime: '2021-01-01T00:00:00Z' };
const born = lifecycle({
  id: 'x',
  serial: 'A0',
  kind: 'powerwall',
  type: 'manufactured',
  ...stamp,
  source: 't',
  data: {},
});

async function* source(count: number): AsyncGenerator<SourceRecord> {
  yield born;
  for (let i = 0; i < count; i++) yield reading(i);
}

const run = (count: number, seed: number, options = {}) => collect(degrade(source(count), { seed, ...options }));
const receiveTime = (record: SourceRecord) => Date.parse((record as TelemetryRecord).value.receiveTime as string);

describe('degrade', () => {
  test('keeps every reading, changes only when it comes, and repeats exact copies', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 0, max: 400 }), async (seed, count) => {
        const [first, ...out] = await run(count, seed);
        expect(first).toBe(born);
        const byTxid = Map.groupBy(out as TelemetryRecord[], (record) => record.value.txid as string);
        expect(byTxid.size).toBe(count);
        for (const [txid, copies] of byTxid) {
          const original = reading(Number(txid)).value;
          for (const copy of copies) expect(copy).toEqual(copies[0]);
          const delay = receiveTime(copies[0]) - Date.parse(original.deviceTime);
          expect({ ...copies[0].value, receiveTime: original.receiveTime }).toEqual(original);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(6 * 3_600_000);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('first deliveries come in the order of their receive times', async () => {
    const seen = new Set<unknown>();
    const times = (await run(2000, 7)).slice(1).flatMap((record) => {
      const { txid } = record.value as TelemetryRecord['value'];
      if (seen.has(txid)) return [];
      seen.add(txid);
      return [receiveTime(record)];
    });
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test('makes about the shares that were asked for, the same ones for the same seed', async () => {
    const out = (await run(5000, 42)).slice(1) as TelemetryRecord[];
    const late = new Set(out.filter((r) => r.value.receiveTime !== r.value.deviceTime).map((r) => r.value.txid)).size;
    expect((out.length - 5000) / 5000).toBeCloseTo(0.03, 1);
    expect(late / 5000).toBeCloseTo(0.2, 1);
    expect((await run(5000, 42)).slice(1)).toEqual(out);
    expect((await run(5000, 43)).slice(1)).not.toEqual(out);
  });

  test('does nothing when nothing is asked for', async () => {
    const out = await run(100, 1, { duplicates: 0, delayed: 0 });
    expect(out).toEqual(await collect(source(100)));
  });

  test('holds at most what is under way', async () => {
    let taken = 0;
    let given = 0;
    let most = 0;
    async function* counted() {
      for await (const record of source(20_000)) {
        taken += 1;
        yield record;
      }
    }
    for await (const _ of degrade(counted(), { seed: 1, delayed: 1, maxDelayMs: 3_600_000, duplicates: 0 })) {
      given += 1;
      most = Math.max(most, taken - given);
    }
    expect(given).toBe(20_001);
    expect(most).toBeLessThanOrEqual(13);
  });

  test('refuses shares that are none', async () => {
    await expect(run(1, 1, { duplicates: 3 })).rejects.toMatchObject({ code: 'recording_option_invalid' });
  });
});
