import fc from 'fast-check';
import type { FieldSpec } from '../../runtime/shard/reading.ts';
import type { TelemetryDocument } from '../encode-parts.ts';
import type { DecodedKind } from '../plan.ts';

/** Records for property tests: of every kind, most of them as they should be, many odd in some part. */

const NOW = Date.parse('2022-07-08T09:00:00Z');

const time = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -1e9, max: 0 }).map((ms) => NOW + ms) },
  fc.integer({ min: -1e6, max: 200 }).map((s) => new Date(NOW + s * 1000).toISOString()),
  fc.constantFrom<string | number>(
    '2022-07-08T02:00:00.123-07:00',
    '0001-01-01T00:00:00Z',
    -62135596800000,
    0,
    -1,
    1657270800,
    4133980800000,
    2 ** 52,
    'x',
  ),
);

const anyJson = fc.oneof(
  fc.constantFrom<unknown>(null, true, '', 'x', [], {}, [[]], '7.4', -256, 1e300, 'ä€😀', 'a\ud800'),
  fc.jsonValue({ maxDepth: 3 }),
);
const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 12 }) },
  fc.string({ unit: 'grapheme', maxLength: 300 }),
);
const alertTime = fc.oneof(
  time,
  fc.integer({ min: 1600000000, max: 1657270800 }),
  fc.constantFrom<unknown>(null, 0, 5, '0001-01-01T00:00:00Z', 1657270800.5),
);
const alert = fc.oneof(
  text,
  fc.record(
    {
      name: text,
      severity: fc.constantFrom('rma', 'Critical', 'performance', '', null, 'odd', 7),
      startedAt: alertTime,
      endedAt: alertTime,
    },
    { requiredKeys: ['name'] },
  ),
);
const sample = fc.record(
  {
    value: fc.oneof(fc.constantFrom<unknown>('7.4', '12', 'x', 5, null), fc.double().map(String)),
    measurand: fc.constantFrom('Power.Active.Import', 'SoC', 'RPM', 'Voltage', '__proto__'),
    context: fc.constantFrom('Transaction.Begin', 'Sample.Periodic'),
    unit: fc.constantFrom('kW', 'W', 'Wh', 'Percent', 'odd'),
    phase: fc.constantFrom('L1', 'L2-N'),
    location: fc.constant('Outlet'),
    unitOfMeasure: fc.record({ unit: fc.constant('Wh'), multiplier: fc.integer({ min: -3, max: 3 }) }),
  },
  { requiredKeys: ['value'] },
);

function likely(spec: FieldSpec): fc.Arbitrary<unknown> {
  switch (spec.type) {
    case 'number': {
      const { min = -1e6, max = 1e6, sentinels = [] } = spec;
      const number = fc.oneof(
        { weight: 5, arbitrary: fc.double({ min, max, noNaN: true }) },
        fc.integer({ min: Math.ceil(min), max: Math.floor(max) }),
        fc.constantFrom(0, -0, min, max, max * 2 + 1, ...sentinels),
      );
      return spec.numericText === true ? fc.oneof(number, number.map(String)) : number;
    }
    case 'enum':
      return fc.constantFrom(...(spec.words ?? []), ...(spec.codes ?? []), 'odd', -1);
    case 'bool':
      return fc.boolean();
    case 'text':
      return text;
    case 'list':
      return fc.array(text, { maxLength: 5 });
    case 'alerts':
      return fc.array(alert, { maxLength: 4 });
    case 'meterValues':
      return fc.array(sample, { maxLength: 6 });
  }
}

function fieldsOf({ fields }: DecodedKind): fc.Arbitrary<Record<string, unknown>> {
  const known = Object.fromEntries(
    fields.map((spec) => [spec.name, fc.oneof({ weight: 20, arbitrary: likely(spec) }, fc.constant(null), anyJson)]),
  );
  const unknown = fc.dictionary(
    fc.oneof(fc.constantFrom('__proto__', 'constructor', 'zeta', '10', '', '#3'), fc.string({ maxLength: 6 })),
    anyJson,
    { maxKeys: 3, noNullPrototype: true },
  );
  return fc
    .tuple(fc.record(known, { requiredKeys: [] }), fc.option(unknown, { freq: 3, nil: {} }))
    .map(([some, others]) => {
      const all = Object.create(null);
      for (const [name, value] of [...Object.entries(some), ...Object.entries(others)]) all[name] = value;
      // As a parser makes it, with `__proto__` as a key like any other.
      return JSON.parse(JSON.stringify(all)) as Record<string, unknown>;
    });
}

/** Values that are as they should be; lists are left out. */
function usual(spec: FieldSpec): fc.Arbitrary<unknown> | null {
  switch (spec.type) {
    case 'number': {
      const { min = -1e6, max = 1e6, sentinels = [] } = spec;
      return fc.oneof(fc.double({ min, max, noNaN: true }), fc.constantFrom(min, max, ...sentinels, null));
    }
    case 'enum':
      return fc.constantFrom(...(spec.words ?? []), null);
    case 'bool':
      return fc.constantFrom(true, false, null);
    case 'text':
      return fc.oneof(fc.string({ maxLength: 12 }), fc.constant(null));
    default:
      return null;
  }
}

/** Records that the fast paths should read. */
function usualRecords(kind: DecodedKind): fc.Arbitrary<TelemetryDocument> {
  const fields = kind.fields.flatMap((spec) => {
    const value = usual(spec);
    return value === null ? [] : [[spec.name, value] as const];
  });
  return fc.record(
    {
      serial: fc.constantFrom('PW-1', 'STSTSM-0007'),
      kind: fc.constant(kind.name),
      deviceTime: fc.integer({ min: NOW - 1e9, max: NOW }),
      receiveTime: fc.integer({ min: NOW, max: NOW + 1000 }),
      txid: fc.string({ unit: fc.constantFrom(...'0123456789abcdef') }),
      resend: fc.boolean(),
      seqNo: fc.nat(),
      fields: fc.record(Object.fromEntries(fields), { requiredKeys: [] }),
    },
    { requiredKeys: ['serial', 'kind', 'deviceTime', 'fields'] },
  );
}

export function records(kinds: readonly DecodedKind[]): fc.Arbitrary<TelemetryDocument> {
  return fc.constantFrom(...kinds).chain((kind) => fc.oneof(usualRecords(kind), oddRecords(kind)));
}

function oddRecords(kind: DecodedKind): fc.Arbitrary<TelemetryDocument> {
  return fc.record(
    {
      serial: fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom('PW-1', 'STSTSM-0007') },
        fc.constantFrom('', 'a\nb', 'Akku-ä€😀', '€'.repeat(43), 'x'.repeat(65), 'a"\\b'),
      ),
      kind: fc.constant(kind.name),
      deviceTime: time,
      receiveTime: time,
      txid: fc.oneof(fc.constantFrom<string | number>('a1f3', '', 4711, 'ä', 'x'.repeat(257)), fc.string()),
      resend: fc.boolean(),
      seqNo: fc.oneof(fc.nat(), fc.constantFrom(2 ** 50, 0)),
      fields: fieldsOf(kind),
    },
    { requiredKeys: ['serial', 'kind', 'deviceTime', 'fields'] },
  );
}
