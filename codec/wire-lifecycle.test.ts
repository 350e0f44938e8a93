import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUILT_IN_SCHEMAS } from './built-in.ts';
import { LIFECYCLE_TYPES } from './lifecycle-data.ts';
import { type LifecycleDocument, PARTS } from './lifecycle-parts.ts';
import { withHeader } from './wire.ts';
import { encodeLifecycle, WireLifecycleDecoder } from './wire-lifecycle.ts';

const NOW = Date.parse('2022-07-08T09:00:00Z');
const SCHEMAS = BUILT_IN_SCHEMAS.filter(({ subject }) => subject === 'lifecycle');
const decoder = new WireLifecycleDecoder(new Set(['powerwall']));

const decode = (bytes: Uint8Array) => decoder.decode(bytes, 0, bytes.length, NOW);

const word = fc.constantFrom('S-42', 'battery-1', 'PW-2', 'Europe/Berlin', 'installed', 'a\nb', 'x'.repeat(129), 'ä€');
const value = fc.oneof(
  { weight: 6, arbitrary: word },
  fc.double(),
  fc.constantFrom<unknown>(300, true, null, ['a', 'b'], ['a', 1], [], {}, 'a\ud800', { any: [1] }),
);
const name = fc.constantFrom(...PARTS.map((part) => part.name), '__proto__', 'note', '');
const time = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: NOW - 1e11, max: NOW }) },
  fc.constantFrom<string | number>(
    '2022-01-03T15:00:00-08:00',
    '0001-01-01T00:00:00Z',
    -62135596800000,
    'x',
    0,
    NOW + 1e9,
  ),
);
const record = fc
  .record(
    {
      id: fc.constantFrom('erp-88-17', '', 'ä'),
      serial: fc.constantFrom('PW-0001', 'Akku-€', ''),
      kind: fc.constantFrom('powerwall', 'powerwall', 'toaster'),
      type: fc.constantFrom(...LIFECYCLE_TYPES.keys(), 'exploded', 'constructor'),
      eventTime: time,
      recordTime: time,
      source: fc.constantFrom('installer-app', '', null),
      data: fc.oneof({ weight: 9, arbitrary: fc.array(fc.tuple(name, value), { maxLength: 6 }) }, fc.constant(null)),
    },
    { requiredKeys: ['id', 'serial', 'kind', 'type', 'eventTime'] },
  )
  .map(({ data, ...head }) => ({
    ...head,
    ...(data === undefined ? {} : { data: data === null ? null : Object.fromEntries(data) }),
  }))
  .map((made) => JSON.parse(JSON.stringify(made)) as LifecycleDocument);

describe('lifecycle records', () => {
  it('mean the same in every format', () => {
    let accepted = 0;
    fc.assert(
      fc.property(record, (made) => {
        const expected = decode(encodeLifecycle(made, 'json'));
        if (expected.ok) accepted++;
        for (const schema of SCHEMAS)
          expect(decode(withHeader(schema, encodeLifecycle(made, schema.format))), schema.format).toEqual(expected);
      }),
      { numRuns: Number(process.env.GRIDFOLD_PROPERTY_RUNS ?? 2000) },
    );
    expect(accepted).toBeGreaterThan(0);
  });

  it.each(SCHEMAS)('in $format are refused with a reason when they are cut off', (schema) => {
    const made = { id: '1', serial: 'PW-1', kind: 'powerwall', type: 'shipped', eventTime: NOW, source: 'erp' };
    const bytes = withHeader(schema, encodeLifecycle(made, schema.format));
    const whole = decode(bytes);
    expect(whole).toMatchObject({ ok: true, record: { id: '1', type: 'shipped', eventTime: NOW } });
    for (let length = 1; length < bytes.length; length++) {
      const outcome = decode(bytes.subarray(0, length));
      // Where a Protobuf message ends between two fields, it is one that has fewer; a FlatBuffer may end with padding.
      if (schema.format !== 'protobuf' && outcome.ok) expect(outcome, String(length)).toEqual(whole);
    }
  });

  it('with a message of Protobuf that has no bytes lack everything', () => {
    expect(decode(withHeader(SCHEMAS[0], new Uint8Array(0)))).toEqual({ ok: false, reason: 'missing_serial' });
  });
});
