import type { FieldValue, SourceRecord } from '../record.ts';
import { telemetry } from '../record.ts';
import { malformed, type Recording, type RecordingOptions } from './contract.ts';
import { installationRecords } from './installation.ts';
import { LocalClock } from './local-clock.ts';
import { zoneOf } from './serial.ts';
import { type Header, type Row, readTable } from './table.ts';

const CADENCE_SECONDS = 300;
const SOURCE = 'replay:seattle-5min';

/**
 * One home, a row every five minutes: `Home, Solar, Powerwall, Grid` in kW (Powerwall + discharges, Grid + imports) and
 * now and then `Energy Remaining (%)`. The batteries become one Powerwall, the roof one inverter.
 *
 * A row whose powers are all exactly zero is how the recorder writes missing data. The Powerwall's record passes the
 * zeros on, and whoever folds it can tell them by the household's load; the roof's record is marked invalid, because
 * its lone zero could as well be night.
 */
export const seattle: Recording = {
  format: 'seattle-5min',
  description: 'One home with solar and Powerwalls: CSV of Home, Solar, Powerwall, Grid in kW, every 5 minutes',
  options: ['serialPrefix', 'siteId', 'timeZone', 'capacityWh', 'ratedW'],
  open: readSeattle,
};

interface Columns {
  readonly time: number;
  readonly home: number;
  readonly solar: number;
  readonly powerwall: number;
  readonly grid: number;
  readonly charge: number;
}

async function* readSeattle(file: string, options: RecordingOptions): AsyncGenerator<SourceRecord> {
  const prefix = options.serialPrefix || 'SEATTLE';
  const serials = { battery: `${prefix}-PW`, roof: `${prefix}-PV` };
  const zone = zoneOf(options, 'America/Los_Angeles');
  const clock = new LocalClock(zone);
  let columns: Columns | null = null;
  for await (const row of readTable(file)) {
    const isFirst = columns === null;
    columns ??= findColumns(row.header);
    const text = row.text(columns.time);
    const time = clock.instant('home', text);
    if (time === null) throw malformed(file, row.line, `"${text}" is not a date and time`);
    if (isFirst) yield* installHome(serials, columns, options, zone.name, time);
    const stamp = { deviceTime: zone.format(time), receiveTime: zone.format(time), txid: `${time / 1000}-${row.line}` };
    const powers = readPowers(row, columns);
    const battery = batteryFields(powers, row.number(columns.charge));
    if (Object.keys(battery).length > 0)
      yield telemetry({ serial: serials.battery, kind: 'powerwall', ...stamp, fields: battery });
    if (powers.solar !== undefined) {
      const fields = { powerW: isMissing(powers) ? null : watts(powers.solar) };
      yield telemetry({ serial: serials.roof, kind: 'inverter', ...stamp, fields });
    }
  }
}

function findColumns(header: Header): Columns {
  return {
    time: header.require('Date time'),
    powerwall: header.require('Powerwall (kW)'),
    home: header.find('Home (kW)'),
    solar: header.find('Solar (kW)'),
    grid: header.find('Grid (kW)'),
    charge: header.find('Energy Remaining (%)'),
  };
}

interface Powers {
  readonly home?: number;
  readonly solar?: number;
  readonly powerwall?: number;
  readonly grid?: number;
}

function readPowers(row: Row, columns: Columns): Powers {
  return {
    home: row.number(columns.home),
    solar: row.number(columns.solar),
    powerwall: row.number(columns.powerwall),
    grid: row.number(columns.grid),
  };
}

/** A home that uses exactly nothing is not idle, it was not measured. */
function isMissing(powers: Powers): boolean {
  return powers.home === 0 && !powers.solar && !powers.powerwall && !powers.grid;
}

function batteryFields(powers: Powers, chargePercent: number | undefined): Record<string, FieldValue> {
  const fields: Record<string, FieldValue> = {};
  if (powers.powerwall !== undefined) fields.powerW = watts(powers.powerwall);
  if (powers.grid !== undefined) fields.siteW = watts(powers.grid);
  if (powers.home !== undefined) fields.loadW = watts(powers.home);
  if (powers.solar !== undefined) fields.solarW = watts(powers.solar);
  if (chargePercent !== undefined) fields.soc = chargePercent / 100;
  return fields;
}

/** kW as W, to the milliwatt: 4.1 kW is 4100 W, not 4099.999999999999. */
function watts(kilowatts: number): number {
  return Math.round(kilowatts * 1e6) / 1e3;
}

function* installHome(
  serials: { battery: string; roof: string },
  columns: Columns,
  options: RecordingOptions,
  timeZone: string,
  firstReading: number,
): Generator<SourceRecord> {
  const siteId = options.siteId ?? `${options.serialPrefix || 'SEATTLE'}-HOME`;
  const shared = { siteId, source: SOURCE, timeZone, cadenceSeconds: CADENCE_SECONDS, firstReading };
  const { capacityWh, ratedW } = options;
  const battery = { serial: serials.battery, kind: 'powerwall', model: 'Powerwall', capacityWh, ratedW } as const;
  yield* installationRecords({ ...shared, ...battery, position: 'battery-1' });
  if (columns.solar === -1) return;
  const roof = { serial: serials.roof, kind: 'inverter', model: 'Solar roof' } as const;
  yield* installationRecords({ ...shared, ...roof, position: 'solar-1' });
}
