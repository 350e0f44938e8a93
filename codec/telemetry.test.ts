import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprint } from '../runtime/kernel/hash.ts';
import { Reading } from '../runtime/shard/reading.ts';
import { KINDS, referenceRecord } from './fixture.ts';
import { REASONS } from './reasons.ts';
import { createTelemetryDecoder, type TelemetryDecoder } from './telemetry.ts';

const NOW = Date.parse('2022-07-08T09:00:02Z');

const valid = {
  serial: 'PW-0001',
  kind: 'powerwall',
  deviceTime: '2022-07-08T02:00:00-07:00',
  receiveTime: '2022-07-08T09:00:01.250Z',
  txid: 'a1f3',
  resend: false,
  fields: { powerW: -1500, soc: 0.71, energyOutWh: 12690.5, gridStatus: 'SystemGridConnected' },
};

function decode(input: unknown, decoder = createTelemetryDecoder(KINDS)) {
  const bytes =
    input instanceof Uint8Array ? input : Buffer.from(typeof input === 'string' ? input : JSON.stringify(input));
  const reading = new Reading();
  const reason = REASONS[decoder.decode(bytes, 0, bytes.length, NOW, reading)].code;
  return { reason, reading, decoder, fields: reason === 'ok' ? fieldsOf(reading) : {} };
}

/** Present fields by name: the value, or 'invalid'. */
function fieldsOf(reading: Reading): Record<string, unknown> {
  const specs = KINDS[reading.kind].fields;
  const extra = Object.fromEntries(reading.extra ?? []);
  return Object.fromEntries(
    specs.flatMap(({ name, type }, i) => {
      if (((reading.present >>> i) & 1) === 0) return [];
      if ((reading.invalid >>> i) & 1) return [[name, 'invalid']];
      return [[name, type === 'text' || type === 'list' || type === 'alerts' ? extra[name] : reading.values[i]]];
    }),
  );
}

const withFields = (fields: unknown) => decode({ ...valid, fields });
const problemsOf = (decoder: TelemetryDecoder) =>
  Object.fromEntries([...decoder.problems].filter(([, count]) => count > 0));

describe('an accepted record', () => {
  it('gives its times, marks and fields', () => {
    const { reading, decoder, fields } = decode(valid);
    expect(reading.deviceTime).toBe(Date.parse('2022-07-08T09:00:00Z'));
    expect(reading.receiveTime).toBe(Date.parse('2022-07-08T09:00:01.250Z'));
    expect(reading.txid).toBe(fingerprint('a1f3'));
    expect(reading.seqNo).toBe(-1);
    expect(fields).toEqual({ powerW: -1500, soc: 0.71, energyOutWh: 12690.5, gridStatus: 0 });
    expect(decoder.serial()).toBe('PW-0001');
    expect(decoder.slowCount).toBe(0);
    expect(problemsOf(decoder)).toEqual({});
  });

  it('may put its keys in any order and space them out', () => {
    const { serial, ...rest } = valid;
    const reversed = Object.fromEntries(Object.entries({ serial, ...rest }).reverse());
    const { reason, decoder, fields } = decode(`\n${JSON.stringify(reversed, null, '\t')} \r\n`);
    expect(reason).toBe('ok');
    expect(decoder.slowCount).toBe(0);
    expect(fields).toMatchObject({ powerW: -1500, gridStatus: 0 });
  });

  it('leaves its serial where the caller can hash it, also when it is no ASCII', () => {
    for (const serial of ['PW-0001', 'PW-"1"', 'Akku-ä€😀']) {
      const { decoder } = decode({ ...valid, serial });
      expect(Buffer.from(decoder.serialBytes.slice(decoder.serialStart, decoder.serialEnd)).toString()).toBe(serial);
    }
  });

  it('takes the log timestamp for a missing receiveTime, and 5 minutes after it for a later one', () => {
    expect(decode({ ...valid, receiveTime: undefined }).reading.receiveTime).toBe(NOW);
    expect(decode({ ...valid, receiveTime: null }).reading.receiveTime).toBe(NOW);
    expect(decode({ ...valid, receiveTime: '0001-01-01T00:00:00Z' }).reading.receiveTime).toBe(NOW);
    const late = decode({ ...valid, receiveTime: NOW + 300001 });
    expect(late.reading.receiveTime).toBe(NOW + 300000);
    expect(problemsOf(late.decoder)).toEqual({ receive_time_clamped: 1 });
  });

  it('takes epoch milliseconds, numbers as txid, and a sequence number', () => {
    const { reading } = decode({ ...valid, deviceTime: NOW, txid: 4711, seqNo: 12, resend: true });
    expect(reading).toMatchObject({ deviceTime: NOW, txid: fingerprint('4711'), seqNo: 12, resend: true });
    const stall = decode({ ...valid, kind: 'supercharger', fields: { seqNo: 7 } });
    expect(stall.reading.seqNo).toBe(7);
    expect(stall.fields).toEqual({ seqNo: 7 });
  });
});

describe('fields', () => {
  it('that are null or impossible are present and invalid', () => {
    const { fields, decoder } = withFields({
      powerW: null,
      soc: 1.5,
      voltageV: -256,
      tempC: 'warm',
      loadW: 1,
      stormMode: 1,
      mode: 3,
    });
    expect(fields).toEqual({
      powerW: 'invalid',
      soc: 'invalid',
      voltageV: 'invalid',
      tempC: 'invalid',
      loadW: 1,
      stormMode: 'invalid',
      mode: 'invalid',
    });
    expect(problemsOf(decoder)).toEqual({ invalid_reported: 1, out_of_range: 1, sentinel: 1, wrong_type: 3 });
  });

  it('that overflow a double are out of range', () => {
    const { fields } = decode(JSON.stringify(valid).replace('-1500', '1e999'));
    expect(fields.powerW).toBe('invalid');
  });

  it('with an unknown word are invalid and keep the word', () => {
    const { fields, reading, decoder } = withFields({ gridStatus: 'SystemOnFire', inverterGridState: '' });
    expect(fields).toEqual({ gridStatus: 'invalid', inverterGridState: 3 });
    expect(reading.extra).toEqual([['gridStatus', 'SystemOnFire']]);
    expect(problemsOf(decoder)).toEqual({ unknown_word: 1 });
  });

  it('with words may say their number instead, where the kind knows it', () => {
    expect(withFields({ opSeqState: 99 }).fields).toEqual({ opSeqState: 1 });
    const { fields, decoder } = withFields({ opSeqState: 1, inverterState: 0 });
    expect(fields).toEqual({ opSeqState: 'invalid', inverterState: 'invalid' });
    expect(problemsOf(decoder)).toEqual({ out_of_range: 1, wrong_type: 1 });
    const codes = { name: 'mode', type: 'enum', doc: 'Mode.', words: ['a', 'b'], codes: [1] } as const;
    expect(() => createTelemetryDecoder([{ name: 'powerwall', fields: [codes] }])).toThrow('one code for each word');
  });

  it('that are unknown are kept as JSON text, in order of name', () => {
    const text = JSON.stringify({
      ...valid,
      fields: { zeta: 1.5, soc: 0.5, alpha: { a: [1, 'x'] }, constructor: true },
    });
    const { reading, decoder } = decode(text.replace('"zeta"', '"__proto__":"own","zeta"'));
    expect(reading.extra).toEqual([
      ['__proto__', '"own"'],
      ['alpha', '{"a":[1,"x"]}'],
      ['constructor', 'true'],
      ['zeta', '1.5'],
    ]);
    expect(problemsOf(decoder)).toEqual({ unknown_field: 4 });
    expect(decoder.slowCount).toBe(0);
  });

  it('that are unknown are bounded in number and size', () => {
    const many = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`x${String(i).padStart(2, '0')}`, 'y'.repeat(1500)]),
    );
    const { reading, decoder } = withFields({ ...many, ['n'.repeat(200)]: 1 });
    expect(reading.extra).toHaveLength(32);
    expect(reading.extra?.[31][0]).toBe('x31');
    expect(reading.extra?.every(([, text]) => (text as string).length === 1024)).toBe(true);
    expect(problemsOf(decoder)).toEqual({ unknown_field: 32, unknown_field_dropped: 9 });
  });

  it('of text, list and alerts stand in extra', () => {
    const alerts = [
      'WaitForSolar',
      { name: 'BatteryFault', severity: 'Critical', startedAt: 1657270000, endedAt: null, audiences: [] },
      { name: 'BatteryFault', severity: 'critical', startedAt: 1657270000000 },
      { name: 'Old', startedAt: '0001-01-01T00:00:00Z', endedAt: '2022-07-08T09:00:00Z', severity: 'odd' },
    ];
    const { reading, fields } = withFields({ firmware: '24.12', disabledReasons: ['b', 'a'], alerts });
    expect(reading.extra?.map(([name]) => name)).toEqual(['alerts', 'disabledReasons', 'firmware']);
    expect(fields).toEqual({
      firmware: '24.12',
      disabledReasons: ['b', 'a'],
      alerts: [
        { name: 'BatteryFault', severity: 'critical', startedAt: 1657270000000, endedAt: null },
        { name: 'Old', severity: null, startedAt: null, endedAt: Date.parse('2022-07-08T09:00:00Z') },
        { name: 'WaitForSolar', severity: null, startedAt: null, endedAt: null },
      ],
    });
  });

  it('that come again share one list, which nobody can change', () => {
    const decoder = createTelemetryDecoder(KINDS);
    const record = { ...valid, fields: { alerts: ['b', 'a'], disabledReasons: ['x'], firmware: '24.12' } };
    const first = decode(record, decoder).reading.extra;
    const second = decode(record, decoder).reading.extra;
    expect(second).toEqual(first);
    expect(second?.[0][1]).toBe(first?.[0][1]);
    expect(Object.isFrozen(first?.[0][1])).toBe(true);
    expect(decoder.slowCount).toBe(0);
  });

  it('over their bounds are invalid', () => {
    const { fields, decoder } = withFields({
      firmware: 'x'.repeat(257),
      disabledReasons: Array(65).fill('a'),
      alerts: [{ severity: 'rma' }],
    });
    expect(fields).toEqual({ firmware: 'invalid', disabledReasons: 'invalid', alerts: 'invalid' });
    expect(problemsOf(decoder)).toEqual({ wrong_type: 3 });
  });

  it('never hold a negative zero', () => {
    expect(Object.is(decode(JSON.stringify(valid).replace('-1500', '-0')).fields.powerW, 0)).toBe(true);
    expect(Object.is(decode(JSON.stringify(valid).replace('-1500', '-0.0e1')).fields.powerW, 0)).toBe(true);
  });
});

describe('a refused record', () => {
  const text = JSON.stringify(valid);
  it.each<[string, unknown]>([
    ['empty', ''],
    ['empty', ' \n\t'],
    ['too_large', `{"x":"${'y'.repeat(65536)}"}`],
    ['invalid_utf8', Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0xff]), Buffer.from('}')])],
    ['malformed_json', text.slice(0, -1)],
    ['malformed_json', text.replace('-1500', 'NaN')],
    ['malformed_json', text.replace('-1500', '01')],
    ['malformed_json', `${text}\0`],
    ['malformed_json', `\ufeff${text}`],
    ['not_an_object', '[1]'],
    ['not_an_object', 'null'],
    ['too_deep', text.replace('-1500', '['.repeat(63) + ']'.repeat(63))],
    ['missing_serial', { ...valid, serial: undefined }],
    ['bad_serial', { ...valid, serial: 7 }],
    ['bad_serial', { ...valid, serial: '' }],
    ['bad_serial', { ...valid, serial: 'x'.repeat(65) }],
    ['bad_serial', { ...valid, serial: '€'.repeat(43) }],
    ['bad_serial', { ...valid, serial: 'a\u0085' }],
    ['bad_serial', { ...valid, serial: 'a\ud800' }],
    ['bad_serial', { ...valid, serial: 'a\u007f' }],
    ['missing_kind', { ...valid, kind: null }],
    ['unknown_kind', { ...valid, kind: 'toaster' }],
    ['unknown_kind', { ...valid, kind: '__proto__' }],
    ['missing_device_time', { ...valid, deviceTime: undefined }],
    ['missing_device_time', { ...valid, deviceTime: '0001-01-01T00:00:00Z' }],
    ['bad_device_time', { ...valid, deviceTime: '2022-02-29T00:00:00Z' }],
    ['bad_device_time', { ...valid, deviceTime: '2022-07-08T02:00:00' }],
    ['bad_device_time', { ...valid, deviceTime: 1.5 }],
    ['bad_device_time', { ...valid, deviceTime: 1657270800 }],
    ['future_device_time', { ...valid, deviceTime: '2022-07-08T09:05:02Z' }],
    ['bad_receive_time', { ...valid, receiveTime: 'soon' }],
    ['missing_fields', { ...valid, fields: undefined }],
    ['bad_fields', { ...valid, fields: [] }],
    ['bad_txid', { ...valid, txid: {} }],
    ['bad_txid', { ...valid, txid: 'x'.repeat(257) }],
  ])('%s', (reason, input) => {
    expect(decode(input).reason).toBe(reason);
  });

  it('leaves no trace in the counters', () => {
    const { decoder } = decode({ ...valid, fields: { powerW: null }, deviceTime: '2023-07-08T02:00:00Z' });
    expect(decode(valid, decoder).reason).toBe('ok');
    expect(problemsOf(decoder)).toEqual({});
  });
});

/** Everything an accepted record says, comparable. */
function outcome(decoder: TelemetryDecoder, slowly: boolean, bytes: Uint8Array, start: number, end: number): unknown {
  const reading = new Reading();
  const before = new Map(decoder.problems);
  const reason = slowly
    ? decoder.decodeSlowly(bytes, start, end, NOW, reading)
    : decoder.decode(bytes, start, end, NOW, reading);
  const problems = [...decoder.problems].map(([code, count]) => count - (before.get(code) ?? 0));
  if (reason !== 0) return { reason, problems };
  const { kind, deviceTime, receiveTime, txid, seqNo, resend, present, invalid, extra } = reading;
  const values = [...reading.values].map((value, i) => (((present & ~invalid) >>> i) & 1 ? value : 'none'));
  const scalars = { kind, deviceTime, receiveTime, txid, seqNo, resend, present, invalid };
  return { reason, problems, ...scalars, extra, values, serial: decoder.serial() };
}

const fastDecoder = createTelemetryDecoder(KINDS);
const slowDecoder = createTelemetryDecoder(KINDS);

function agree(bytes: Uint8Array): void {
  const padded = Buffer.concat([Buffer.from('{"'), bytes, Buffer.from('"}0')]);
  const fast = outcome(fastDecoder, false, padded, 2, 2 + bytes.length);
  expect(fast, Buffer.from(bytes).toString('latin1')).toEqual(outcome(slowDecoder, true, bytes, 0, bytes.length));
}

const numberText = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => JSON.stringify(x)),
  fc.double({ min: -20000, max: 20000, noNaN: true }).map((x) => x.toFixed(3)),
  fc.tuple(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), fc.nat(30)).map(([n, at]) => dotted(String(n), at)),
  fc.constantFrom(
    '-0',
    '0.0',
    '1E5',
    '1e-7',
    '1.0e+2',
    '01',
    '1.',
    '.5',
    '-',
    '+1',
    '1e',
    '1e999',
    '0.1e1',
    'NaN',
    '9007199254740993',
  ),
);

function dotted(digits: string, at: number): string {
  const sign = digits.startsWith('-') ? '-' : '';
  const plain = digits.slice(sign.length).padStart(at + 1, '0');
  return at === 0 ? sign + plain : `${sign}${plain.slice(0, -at)}.${plain.slice(-at)}`;
}

const scalarText = fc.oneof(
  { weight: 4, arbitrary: numberText },
  fc.string().map((s) => JSON.stringify(s)),
  fc.string({ unit: 'binary' }).map((s) => JSON.stringify(s)),
  fc.constantFrom(
    'true',
    'false',
    'null',
    'tru',
    '""',
    '"SystemGridConnected"',
    '"Active"',
    '"SystemOnFire"',
    '"-1"',
    '"7.4"',
    '"Ended"',
    '"a\\u0062"',
  ),
);
const valueText = fc.oneof(
  { weight: 6, arbitrary: scalarText },
  fc.array(scalarText, { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
  fc.json({ maxDepth: 3 }),
  fc.constantFrom(
    '[',
    '{}',
    '[]',
    '{"a":1,}',
    '["a" ,"b"]',
    '[{"name":"A","severity":"rma","startedAt":1657270000}]',
    '[{"value":"7.4","measurand":"Power.Active.Import","unit":"kW"},{"value":"12"},{"value":1,"measurand":"RPM"}]',
  ),
);
const timeText = fc.oneof(
  fc.integer({ min: -3, max: 400 }).map((s) => JSON.stringify(new Date(NOW + s * 1000).toISOString())),
  fc.constantFrom(
    '"2022-07-08T02:00:00-07:00"',
    '"2022-07-08t02:00:00.5z"',
    '"2022-02-30T02:00:00Z"',
    '"0001-01-01T00:00:00Z"',
    '1657270800000',
    '1657270800000.0',
    '1.6572708e12',
    '"x"',
    'null',
    '5',
  ),
);
const fieldName = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...KINDS.flatMap((kind) => kind.fields.map((field) => field.name))) },
  fc.constantFrom('__proto__', 'constructor', 'toString', 'zeta', 'power', 'powerw', '10', '2', ''),
  fc.string({ maxLength: 6 }),
);
const fieldsText = fc
  .array(fc.tuple(fieldName, valueText, fc.constantFrom('', ' ', '\n')), { maxLength: 8 })
  .map(
    (list) =>
      `{${list.map(([name, value, space]) => `${space}${JSON.stringify(name)}${space}:${space}${value}${space}`).join(',')}}`,
  );

const recordText = fc
  .record({
    serial: fc.oneof({ weight: 5, arbitrary: fc.constant('"PW-1"') }, scalarText),
    kind: fc.oneof({ weight: 8, arbitrary: fc.constantFrom('"powerwall"', '"supercharger"') }, scalarText),
    deviceTime: timeText,
    receiveTime: fc.option(timeText, { nil: undefined }),
    txid: fc.option(fc.oneof(fc.constantFrom('"a1f3"', '12', '0', '""'), scalarText), { nil: undefined }),
    resend: fc.option(fc.constantFrom('true', 'false', 'null', '1'), { nil: undefined }),
    seqNo: fc.option(fc.oneof(fc.nat().map(String), scalarText), { nil: undefined }),
    fields: fc.oneof({ weight: 12, arbitrary: fieldsText }, valueText),
    other: fc.option(valueText, { nil: undefined }),
  })
  .chain((record) => fc.shuffledSubarray(Object.entries(record), { minLength: 7 }))
  .map(
    (entries) => `{${entries.flatMap(([key, value]) => (value === undefined ? [] : [`"${key}":${value}`])).join(',')}}`,
  );

/** Most of the time all required keys are there. */
const anyRecord = fc.oneof(
  { weight: 3, arbitrary: recordText },
  {
    weight: 5,
    arbitrary: fieldsText.map(
      (fields) => `{"serial":"PW-1","kind":"powerwall","deviceTime":1657270800000,"fields":${fields}}`,
    ),
  },
  {
    weight: 2,
    arbitrary: fieldsText.map(
      (fields) => `{"fields":${fields},"serial":"PW-1","deviceTime":1657270800000,"kind":"supercharger"}`,
    ),
  },
);

describe('the fast path and the document path agree', () => {
  const runs = Number(process.env.GRIDFOLD_PROPERTY_RUNS ?? 4000);

  it('on generated records', () => {
    fc.assert(
      fc.property(anyRecord, (text) => agree(Buffer.from(text))),
      { numRuns: runs },
    );
    expect(slowDecoder.slowCount).toBeGreaterThan(runs / 10);
    expect(fastDecoder.slowCount).toBeLessThan(slowDecoder.slowCount);
  });

  it('on numbers', () => {
    fc.assert(
      fc.property(numberText, (text) =>
        agree(Buffer.from(`{"serial":"A","kind":"powerwall","deviceTime":1657270800000,"fields":{"loadW":${text}}}`)),
      ),
      { numRuns: runs },
    );
  });

  it('on records with changed, lost and added bytes', () => {
    const originals = [JSON.stringify(valid), referenceRecord(1, 2), JSON.stringify(valid, null, 1)];
    const edit = fc.tuple(
      fc.nat(400),
      fc.constantFrom('set', 'cut', 'add', 'copy'),
      fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('"\\,:{}[]0-.e ntf'))),
    );
    fc.assert(
      fc.property(fc.constantFrom(...originals), fc.array(edit, { minLength: 1, maxLength: 3 }), (text, edits) => {
        let bytes = Buffer.from(text);
        for (const [place, what, byte] of edits) {
          const at = place % (bytes.length + 1);
          const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
          const added = what === 'copy' ? bytes.subarray(at, at + byte) : Buffer.from([byte]);
          bytes = Buffer.concat(
            what === 'cut'
              ? [head, tail.subarray(1)]
              : what === 'set'
                ? [head, added, tail.subarray(1)]
                : [head, added, tail],
          );
        }
        agree(bytes);
      }),
      { numRuns: runs },
    );
  });

  it('on every truncation of a record', () => {
    const bytes = Buffer.from(JSON.stringify(valid));
    for (let length = 0; length <= bytes.length; length++) agree(bytes.subarray(0, length));
  });
});
