import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kinds } from '../../actors/device/index.ts';
import { Reading } from '../../runtime/shard/reading.ts';
import { createTelemetryDecoder } from '../telemetry.ts';
import { createTeslaDecoder } from './decoder.ts';
import { TESLA_FIELDS } from './fields.ts';
import { type TeslaMap, VEHICLE_AS_BATTERY } from './map.ts';
import { TESLA_MESSAGES, type TeslaMessage } from './messages.ts';
import { encodeTesla, stamp } from './testing/encode.ts';
import { samples } from './testing/samples.ts';
import { TeslaTranslator } from './translator.ts';

interface Golden {
  readonly name: string;
  readonly message: TeslaMessage;
  readonly bytes: string;
  readonly document: Record<string, unknown>;
}

const golden: readonly Golden[] = JSON.parse(readFileSync(new URL('./golden/messages.json', import.meta.url), 'utf8'));
const at = 1_735_689_600_000;
const now = at + 60_000;

/** What the decoder says of the bytes: the reason, or the reading with its serial. */
function decode(message: TeslaMessage, bytes: Uint8Array, map: TeslaMap = VEHICLE_AS_BATTERY) {
  const decoder = createTeslaDecoder(kinds, map, message);
  const reading = new Reading();
  const reason = decoder.reasons[decoder.decode(bytes, 0, bytes.length, now, reading)];
  const problems = Object.fromEntries([...decoder.problems].filter(([, count]) => count > 0));
  return { reason, reading, serial: Buffer.from(decoder.serialBytes).toString(), problems };
}

describe('golden messages', () => {
  test('are what another implementation writes', () => {
    expect(golden.map(({ name }) => name)).toEqual(samples.map(({ name }) => name));
    samples.forEach(({ message, value }, i) => {
      expect(Buffer.from(encodeTesla(message, value)).toString('base64')).toBe(golden[i].bytes);
    });
  });

  test.each(golden)('$name: the document', ({ message, bytes, document }) => {
    const translator = new TeslaTranslator(kinds, VEHICLE_AS_BATTERY);
    const value = Buffer.from(bytes, 'base64');
    expect(JSON.parse(JSON.stringify(translator.document(message, value, 0, value.length)))).toEqual(document);
  });

  test.each(golden)('$name: the same reading, or reason, as the document in JSON', ({ message, bytes, document }) => {
    const json = createTelemetryDecoder(kinds);
    const text = Buffer.from(JSON.stringify(document));
    const expected = new Reading();
    const index = json.decode(text, 0, text.length, now, expected);
    const { reason, reading, serial, problems } = decode(message, Buffer.from(bytes, 'base64'));
    expect(reason).toBe(createTeslaDecoder(kinds, VEHICLE_AS_BATTERY).reasons[index]);
    if (index !== 0) return;
    expect(reading).toEqual(expected);
    expect(serial).toBe(json.serial());
    expect(problems).toEqual(Object.fromEntries([...json.problems].filter(([, count]) => count > 0)));
  });
});

test('fields go where the map says, in our units and words; the rest is kept and counted', () => {
  const map: TeslaMap = {
    kind: 'supercharger',
    fields: {
      Soc: { field: 'vehicleSoc', factor: 0.01 },
      DCChargingPower: { field: 'vehicleW', factor: 1000 },
      DetailedChargeState: { field: 'status', words: { 1: 'Available', 4: 'Charging' } },
    },
  };
  const datum = (name: string, value: object) => ({ key: TESLA_FIELDS.indexOf(name), value });
  const payload = (...data: object[]) => encodeTesla('V', { vin: 'V1', createdAt: stamp(at), data });
  const stall = kinds.findIndex(({ name }) => name === 'supercharger');
  const value = (found: ReturnType<typeof decode>, name: string) =>
    found.reading.values[kinds[stall].fields.findIndex((field) => field.name === name)];

  const good = decode(
    'V',
    payload(
      datum('Soc', { string: '25' }),
      datum('DCChargingPower', { float: 150 }),
      datum('DetailedChargeState', { chargeState: 4 }),
      datum('Odometer', { double: 1 }),
    ),
    map,
  );
  expect(good).toMatchObject({ reason: 'ok', serial: 'V1', problems: { unknown_field: 1 } });
  expect(good.reading.kind).toBe(stall);
  expect(['vehicleSoc', 'vehicleW', 'status'].map((name) => value(good, name))).toEqual([0.25, 150_000, 2]);
  expect(good.reading.extra).toEqual([['Odometer', '1']]);

  const odd = decode(
    'V',
    payload(
      datum('Soc', { string: 'full' }),
      datum('DCChargingPower', { invalid: true }),
      datum('DetailedChargeState', { chargeState: 77 }),
    ),
    map,
  );
  expect(odd.problems).toEqual({ wrong_type: 1, invalid_reported: 1, unknown_word: 1 });
});

test.each<[string, TeslaMap]>([
  ['a kind that is not there', { kind: 'vehicle', fields: {} }],
  ['a field that Tesla does not have', { kind: 'powerwall', fields: { soc: { field: 'soc' } } }],
  ['a field that we do not have', { kind: 'powerwall', fields: { Soc: { field: 'charge' } } }],
  ['two into one', { kind: 'powerwall', fields: { Soc: { field: 'soc' }, BatteryLevel: { field: 'soc' } } }],
  ['a factor for a text', { kind: 'powerwall', fields: { Version: { field: 'firmware', factor: 2 } } }],
  ['a factor of nothing', { kind: 'powerwall', fields: { Soc: { field: 'soc', factor: 0 } } }],
  ['words for a number', { kind: 'powerwall', fields: { Soc: { field: 'soc', words: {} } } }],
])('%s is a fault of the configuration', (_, map) => {
  expect(() => createTeslaDecoder(kinds, map)).toThrow(expect.objectContaining({ code: 'tesla_map_invalid' }));
});

test('the names of the fields are in the order of their numbers', () => {
  const numbers = { Soc: 8, Location: 21, Version: 68, CarType: 113, EnergyRemaining: 158, DetailedChargeState: 179 };
  for (const [name, number] of Object.entries(numbers)) expect(TESLA_FIELDS[number]).toBe(name);
  expect([TESLA_FIELDS.length, new Set(TESLA_FIELDS).size]).toEqual([258, 258]);
  expect([TESLA_FIELDS[228], TESLA_FIELDS[257]]).toEqual(['WiperHeatEnabled', 'Deprecated_3']);
});

describe('hostile bytes', () => {
  const reasons = createTeslaDecoder(kinds, VEHICLE_AS_BATTERY).reasons;

  test('get a reason or a reading, and nothing else', () => {
    const mutated = fc
      .record({
        which: fc.nat(golden.length - 1),
        edits: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        cut: fc.nat(300),
      })
      .map(({ which, edits, cut }) => {
        const bytes = Buffer.from(golden[which].bytes, 'base64').subarray(0, cut);
        for (const [place, byte] of edits) if (bytes.length > 0) bytes[place % bytes.length] = byte;
        return new Uint8Array(bytes);
      });
    const property = fc.property(
      fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })),
      fc.constantFrom(...TESLA_MESSAGES),
      (bytes, message) => {
        const { reason, reading } = decode(message, bytes);
        expect(reasons).toContain(reason);
        if (reason === 'ok') expect(Number.isFinite(reading.deviceTime)).toBe(true);
      },
    );
    fc.assert(property, { numRuns: 2_000 });
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test.each([
    ['nothing', [], 'empty'],
    ['a length beyond the end', [0x0a, 0xff, 0xff, 0xff, 0xff, 0x07], 'undecodable'],
    ['a number without end', [0x08, ...Array(12).fill(0xff)], 'undecodable'],
    ['a vin that is no UTF-8', [0x1a, 2, 0xc3, 0x28], 'invalid_utf8'],
    ['more than the limit', Array(65_537).fill(0), 'too_large'],
  ])('%s', (_, bytes, reason) => expect(decode('V', Uint8Array.from(bytes)).reason).toBe(reason));

  test('tags called __proto__ are tags', () => {
    const bytes = encodeTesla('errors', {
      vin: 'V1',
      createdAt: stamp(at),
      errors: [{ name: 'e', tags: JSON.parse('{"__proto__":"x"}') }],
    });
    const { reason, reading } = decode('errors', bytes);
    expect(reason).toBe('ok');
    expect(reading.extra?.[0][1]).toContain('"__proto__":"x"');
    expect(({} as Record<string, unknown>).name).toBeUndefined();
  });
});
