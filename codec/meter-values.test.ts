import { describe, expect, it } from 'vitest';
import { Reading } from '../runtime/shard/reading.ts';
import { KINDS, STALL_FIELDS } from './fixture.ts';
import { createTelemetryDecoder } from './telemetry.ts';

const NOW = Date.UTC(2024, 2, 1);

function decode(fields: object) {
  const decoder = createTelemetryDecoder(KINDS);
  const reading = new Reading();
  const bytes = Buffer.from(JSON.stringify({ serial: 'S-1', kind: 'supercharger', deviceTime: NOW, fields }));
  expect(decoder.decode(bytes, 0, bytes.length, NOW, reading)).toBe(0);
  const values = STALL_FIELDS.flatMap(({ name, type }, i) => {
    if (((reading.present >>> i) & 1) === 0 || type === 'meterValues') return [];
    return [[name, (reading.invalid >>> i) & 1 ? 'invalid' : reading.values[i]] as const];
  });
  const problems = Object.fromEntries([...decoder.problems].filter(([, count]) => count > 0));
  return { values: Object.fromEntries(values), extra: reading.extra, problems, reading };
}

const metered = (...meterValues: object[]) => decode({ meterValues });

describe('numbers that OCPP sends as text', () => {
  it.each([
    ['7.4', 7.4],
    ['-3', -3],
    ['1.5e3', 1500],
    ['+12.', 12],
    ['.5', 0.5],
  ])('%j is one', (text, value) => {
    expect(decode({ vehicleW: text })).toMatchObject({ values: { vehicleW: value }, problems: {} });
  });

  it.each(['', ' ', '7,4', '0x10', 'NaN', 'Infinity', '1e', '7.4 kW', '1'.repeat(33)])('%j is none', (text) => {
    expect(decode({ vehicleW: text })).toMatchObject({ values: { vehicleW: 'invalid' }, problems: { wrong_type: 1 } });
  });

  it('keep to the range of their field, and other fields take none', () => {
    expect(decode({ vehicleSoc: '71' }).problems).toEqual({ out_of_range: 1 });
    expect(decode({ powerW: '7.4' })).toMatchObject({ values: { powerW: 'invalid' }, problems: { wrong_type: 1 } });
  });
});

describe('meter values', () => {
  it('fill the fields that they measure, in their units', () => {
    const { values, problems, extra } = metered(
      { value: '12.25', unit: 'kWh' },
      { value: '7.4', measurand: 'Power.Active.Import', unit: 'kW', context: 'Sample.Periodic', location: 'Outlet' },
      { value: '11000', measurand: 'Power.Offered', unit: 'W' },
      { value: '71', measurand: 'SoC', unit: 'Percent', location: 'EV' },
      { value: '68', measurand: 'Temperature', unit: 'Fahrenheit' },
      { value: 401.5, measurand: 'Voltage', unit: 'V' },
    );
    expect(values).toEqual({
      deliveredWh: 12_250,
      vehicleW: 7400,
      offeredW: 11_000,
      vehicleSoc: 0.71,
      tempC: 20,
      voltageV: 401.5,
    });
    expect([problems, extra]).toEqual([{}, null]);
  });

  it.each([
    [{ value: '25', measurand: 'Temperature', unit: 'Celcius' }, 25],
    [{ value: '25', measurand: 'Temperature', unit: 'Celsius' }, 25],
    [{ value: '25', measurand: 'Temperature' }, 25],
    [{ value: '298.15', measurand: 'Temperature', unit: 'K' }, 25],
  ])('know every degree: %j', (sample, tempC) => {
    expect(metered(sample).values).toEqual({ tempC });
  });

  it('are the energy register in Wh where they say nothing', () => {
    expect(metered({ value: '1500' }).values).toEqual({ deliveredWh: 1500 });
  });

  it('may have the unit of OCPP 2.0.1', () => {
    const unitOfMeasure = { unit: 'Wh', multiplier: 3 };
    expect(metered({ value: 1.5, unitOfMeasure }).values).toEqual({ deliveredWh: 1500 });
    expect(metered({ value: 1.5, measurand: 'Power.Active.Import', unitOfMeasure: {} }).values).toEqual({
      vehicleW: 1.5,
    });
  });

  it('of one field: the last counts, that of the beginning least', () => {
    const begin = { value: '100', context: 'Transaction.Begin' };
    const end = { value: '900', context: 'Transaction.End' };
    expect(metered(begin, end).values).toEqual({ deliveredWh: 900 });
    expect(metered(end, begin).values).toEqual({ deliveredWh: 900 });
    expect(metered(begin).values).toEqual({ deliveredWh: 100 });
    expect(metered(end, { value: '950' }).values).toEqual({ deliveredWh: 950 });
  });

  it('give way to the field itself, wherever it stands', () => {
    const meterValues = [{ value: '100' }];
    expect(decode({ deliveredWh: 7, meterValues }).values).toEqual({ deliveredWh: 7 });
    expect(decode({ meterValues, deliveredWh: null }).values).toEqual({ deliveredWh: 'invalid' });
  });

  it('without a field are kept as unknown fields, and counted', () => {
    const { extra, problems, values } = metered(
      { value: '1200', measurand: 'RPM' },
      { value: '230', measurand: 'Voltage', phase: 'L1-N', unit: 'V' },
      { value: 'x', measurand: 'sessionId' },
    );
    expect(extra).toEqual([
      ['RPM', '"1200"'],
      ['Voltage.L1-N', '"230"'],
    ]);
    expect([problems, values]).toEqual([{ unknown_field: 2, unknown_field_dropped: 1 }, {}]);
  });

  it('that cannot be read mark their field invalid', () => {
    expect(metered({ value: 'x' })).toMatchObject({ values: { deliveredWh: 'invalid' }, problems: { wrong_type: 1 } });
    expect(metered({ value: '5', unit: 'BTU' }).values).toEqual({ deliveredWh: 'invalid' });
    expect(metered({ value: null }).problems).toEqual({ invalid_reported: 1 });
    expect(metered({ value: '-1' }).problems).toEqual({ out_of_range: 1 });
  });

  it.each([['text'], [[5]], [[null]], [[{ value: '1', measurand: 5 }]], [Array(129).fill({ value: '1' })]])(
    'are counted where they are no list of samples (%#)',
    (meterValues) => {
      expect(decode({ meterValues })).toMatchObject({ values: {}, problems: { wrong_type: 1 } });
    },
  );
});

describe('readings of one time', () => {
  const order = (fields: object) => decode(fields).reading.seqNo;

  it('come in order of their numbers; then others, the end, the start', () => {
    const list = [
      {},
      { sessionEvent: 'Updated', seqNo: 0 },
      { sessionEvent: 'Ended' },
      { sessionEvent: 'Started', seqNo: 0 },
      { sessionEvent: 'Updated', seqNo: 1 },
      { sessionEvent: 'Ended', seqNo: 2 },
      { sessionEvent: 'Started', seqNo: 2 },
    ].map(order);
    expect(list).toEqual([...list].sort((a, b) => a - b));
    expect(new Set(list).size).toBe(list.length);
  });

  it('have no number where they are told none and no event', () => {
    expect([order({}), order({ sessionEvent: 'Updated' })]).toEqual([-1, -1]);
  });
});
