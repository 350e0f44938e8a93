import type { FieldValue, SourceRecord } from '../record.ts';
import { telemetry } from '../record.ts';
import { malformed, type Recording, type RecordingOptions } from './contract.ts';
import { installationRecords } from './installation.ts';
import { LocalClock } from './local-clock.ts';
import { withPrefix, zoneOf } from './serial.ts';
import { type Header, type Row, readTable } from './table.ts';

const CADENCE_SECONDS = 600;
const SOURCE = 'replay:solarma';

/**
 * The inverters of a plant, each a row every ten minutes in the plant's local time: power, the counter of the day,
 * temperature, grid, PV inputs, Danfoss operating mode and error code.
 *
 * At night the inverters do not answer and the logger writes zeros for what it cannot read (0 V, no frequency). Those
 * measurements are passed on as invalid; power (nothing is made), mode (off) and the day's counter stand.
 */
export const solarma: Recording = {
  format: 'solarma',
  description:
    'Inverters of a solar plant: CSV by serial, every 10 minutes, local time (Europe/Rome unless --time-zone)',
  options: ['serialPrefix', 'siteId', 'timeZone'],
  open: readSolarma,
};

interface Columns {
  readonly time: number;
  readonly serial: number;
  readonly power: number;
  readonly energyToday: number;
  readonly temperature: number;
  readonly gridVoltage: number;
  readonly gridFrequency: number;
  readonly mode: number;
  readonly error: number;
  readonly powerLimit: number;
  /** Voltage and current of each PV input. */
  readonly inputs: readonly (readonly [volts: number, amperes: number])[];
}

async function* readSolarma(file: string, options: RecordingOptions): AsyncGenerator<SourceRecord> {
  const zone = zoneOf(options, 'Europe/Rome');
  const clock = new LocalClock(zone);
  const installed = new Set<string>();
  let columns: Columns | null = null;
  for await (const row of readTable(file)) {
    columns ??= findColumns(row.header);
    const named = row.text(columns.serial);
    if (named === '') throw malformed(file, row.line, 'the serial is empty');
    const serial = withPrefix(options.serialPrefix, named);
    const text = row.text(columns.time);
    const time = clock.instant(serial, text);
    if (time === null) throw malformed(file, row.line, `"${text}" is not a date and time`);
    if (!installed.has(serial)) {
      installed.add(serial);
      yield* installationRecords({
        serial,
        kind: 'inverter',
        siteId: options.siteId ?? withPrefix(options.serialPrefix, 'SOLARMA'),
        position: `inverter-${installed.size}`,
        source: SOURCE,
        model: 'Danfoss',
        ratedW: row.number(columns.powerLimit),
        timeZone: zone.name,
        cadenceSeconds: CADENCE_SECONDS,
        firstReading: time,
      });
    }
    const deviceTime = zone.format(time);
    const stamp = { deviceTime, receiveTime: deviceTime, txid: `${time / 1000}-${row.line}` };
    yield telemetry({ serial, kind: 'inverter', ...stamp, fields: readFields(row, columns) });
  }
}

function findColumns(header: Header): Columns {
  const inputs: [number, number][] = [];
  for (let n = 1; header.find(`pv${n}_v`) !== -1; n++) inputs.push([header.find(`pv${n}_v`), header.find(`pv${n}_a`)]);
  return {
    time: header.require('local_time'),
    serial: header.require('serial'),
    power: header.require('power_w'),
    energyToday: header.find('energy_today_kwh'),
    temperature: header.find('temp_c'),
    gridVoltage: header.find('grid_v'),
    gridFrequency: header.find('grid_hz'),
    mode: header.find('op_mode'),
    error: header.find('error_code'),
    powerLimit: header.find('power_limit_w'),
    inputs,
  };
}

function readFields(row: Row, columns: Columns): Record<string, FieldValue> {
  const voltage = row.number(columns.gridVoltage);
  const frequency = row.number(columns.gridFrequency);
  /** Neither voltage nor frequency: the inverter did not answer, and what it would have measured is not zero. */
  const silent = voltage === 0 && !frequency;
  const measured = (value: number | undefined) => (silent ? null : value);
  const mode = row.number(columns.mode);
  const energyToday = row.number(columns.energyToday);
  const fields: Record<string, FieldValue | undefined> = {
    powerW: row.number(columns.power),
    energyDayWh: energyToday === undefined ? undefined : Math.round(energyToday * 1000),
    tempC: columns.temperature === -1 ? undefined : measured(row.number(columns.temperature)),
    voltageV: voltage === 0 ? null : voltage,
    frequencyHz: columns.gridFrequency === -1 ? undefined : frequency === 0 ? null : measured(frequency),
    dcPowerW: columns.inputs.length === 0 ? undefined : measured(inputPower(row, columns)),
    stateCode: mode,
    stateScheme: mode === undefined ? undefined : 'danfoss',
    errorCode: row.number(columns.error),
  };
  const present = Object.entries(fields).filter((entry): entry is [string, FieldValue] => entry[1] !== undefined);
  return Object.fromEntries(present);
}

/** Sum of volts times amperes over the PV inputs that are told, W to the milliwatt. */
function inputPower(row: Row, columns: Columns): number | undefined {
  let sum: number | undefined;
  for (const [volts, amperes] of columns.inputs) {
    const v = row.number(volts);
    const a = row.number(amperes);
    if (v !== undefined && a !== undefined) sum = (sum ?? 0) + v * a;
  }
  return sum === undefined ? undefined : Math.round(sum * 1000) / 1000;
}
