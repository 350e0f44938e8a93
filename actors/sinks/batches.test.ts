import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { auditPartition, wanted } from './batches.ts';
import { parseEventId } from './event-id.ts';
import { sampleBatch, sampleEvent } from './testing/samples.ts';

describe('what a target still wants', () => {
  it.each([
    { offered: [[0, 5]], have: 0, expected: [[0, 5]] },
    { offered: [[0, 5]], have: 5, expected: [] },
    { offered: [[0, 5]], have: 3, expected: [[3, 5]] },
    {
      offered: [
        [0, 5],
        [5, 7],
        [2, 9],
      ],
      have: 3,
      expected: [
        [3, 5],
        [5, 7],
        [7, 9],
      ],
    },
    { offered: [[5, 5]], have: 5, expected: [] },
  ])('$offered with a ledger at $have is $expected', ({ offered, have, expected }) => {
    const batches = offered.map(([from, next]) => sampleBatch(0, from, next));
    expect(wanted(batches, new Map([[0, have]]))).toEqual(expected.map(([from, next]) => sampleBatch(0, from, next)));
  });

  it('cuts by offset where the log has holes', () => {
    const events = [3, 4, 7].map((offset) => sampleEvent(0, offset));
    const batch = { partition: 0, from: 2, next: 9, events, offsets: [3, 4, 7] };
    expect(wanted([batch], new Map([[0, 5]]))).toEqual([{ ...batch, from: 5, events: [events[2]], offsets: [7] }]);
    expect(wanted([batch], new Map([[0, 2]]))).toEqual([batch]);
    for (const offsets of [
      [3, 4],
      [3, 3, 7],
      [1, 4, 7],
      [3, 4, 9],
    ]) {
      expect(() => wanted([{ ...batch, offsets }], new Map())).toThrow('at other offsets');
    }
  });

  it('knows no gap in a later batch of the same partition', () => {
    expect(() => wanted([sampleBatch(0, 0, 2), sampleBatch(0, 3, 4)], new Map())).toThrow('[2, 3)');
  });
});

describe('an audit', () => {
  it.each([
    {
      name: 'whole',
      ranges: [
        [0, 4],
        [4, 9],
      ],
      rows: 9,
      distinct: 9,
      doubled: 0,
      missing: 0,
    },
    {
      name: 'in another order',
      ranges: [
        [4, 9],
        [0, 4],
      ],
      rows: 9,
      distinct: 9,
      doubled: 0,
      missing: 0,
    },
    {
      name: 'an overlap',
      ranges: [
        [0, 6],
        [4, 9],
      ],
      rows: 9,
      distinct: 9,
      doubled: 2,
      missing: 0,
    },
    {
      name: 'a range inside another',
      ranges: [
        [0, 9],
        [2, 3],
      ],
      rows: 9,
      distinct: 9,
      doubled: 1,
      missing: 0,
    },
    {
      name: 'a hole',
      ranges: [
        [0, 4],
        [6, 9],
      ],
      ledgerRows: 7,
      rows: 7,
      distinct: 7,
      doubled: 0,
      missing: 2,
    },
    { name: 'no range at the end', ranges: [[0, 4]], ledgerRows: 4, rows: 4, distinct: 4, doubled: 0, missing: 5 },
    {
      name: 'nothing wrong where offsets have holes',
      ranges: [
        [0, 4],
        [4, 9],
      ],
      ledgerRows: 5,
      rows: 5,
      distinct: 5,
      doubled: 0,
      missing: 0,
    },
    { name: 'a doubled row', ranges: [[0, 9]], rows: 10, distinct: 9, doubled: 1, missing: 0 },
    { name: 'a lost row', ranges: [[0, 9]], rows: 8, distinct: 8, doubled: 0, missing: 1 },
    { name: 'rows past the ledger', ranges: [[0, 9]], rows: 11, distinct: 11, doubled: 2, missing: 0 },
  ])('finds $name', ({ ranges, ledgerRows = 9, rows, distinct, doubled, missing }) => {
    const entry = { partition: 0, next: 9, rows: ledgerRows };
    const committed = ranges.map(([from, next]) => ({ from, next }));
    expect(auditPartition(entry, committed, { rows, distinct })).toEqual({
      partition: 0,
      next: 9,
      rows,
      doubled,
      missing,
    });
  });
});

it('an event id is read from the right', () => {
  expect(parseEventId('dead-letters-3-99107-0')).toEqual({
    topic: 'dead-letters',
    partition: 3,
    offset: 99107,
    ordinal: 0,
  });
  for (const id of ['', 'telemetry', 'telemetry-1-2', '-1-2-3', 'telemetry-1-2-x']) {
    expect(() => parseEventId(id)).toThrow('event id');
  }
  const topic = fc.stringMatching(/^[a-z][a-z0-9.-]*$/);
  const whole = fc.nat();
  fc.assert(
    fc.property(topic, whole, whole, whole, (t, partition, offset, ordinal) => {
      expect(parseEventId(`${t}-${partition}-${offset}-${ordinal}`)).toEqual({ topic: t, partition, offset, ordinal });
    }),
  );
});
