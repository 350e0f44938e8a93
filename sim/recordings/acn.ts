import { MinHeap } from '../heap.ts';
import { type SourceRecord, telemetry } from '../record.ts';
import { malformed, type Recording, type RecordingOptions } from './contract.ts';
import { installationRecords } from './installation.ts';
import { withPrefix } from './serial.ts';
import { type Header, type Row, readTable } from './table.ts';

const PERIOD_MS = 300_000;
/** Start of period 0: 2019-03-01 00:00 in the plant's winter time, which the periods keep after the clock change. */
const FIRST_PERIOD = Date.UTC(2019, 2, 1, 8);
/** A stall of which only sessions are known is silent between them, and that says nothing: a day is the longest cadence there is. */
const CADENCE_SECONDS = 86_400;
const SOURCE = 'replay:acn';

/**
 * Charging sessions of Caltech's garage, a row each: arrival and departure in periods of five minutes, the energy,
 * and the power that the stall can give. A session becomes its two messages: `Started` at arrival, `Ended` at departure with
 * the register of the stall, which begins at 0. Where one vehicle leaves as the next arrives, the end comes first.
 */
export const acn: Recording = {
  format: 'acn',
  description: 'Charging sessions of a garage (ACN-Data): CSV by session, arrival and departure in 5-minute periods',
  options: ['serialPrefix', 'siteId'],
  open: readAcn,
};

interface Columns {
  readonly session: number;
  readonly station: number;
  readonly arrival: number;
  readonly departure: number;
  readonly energy: number;
  readonly power: number;
}

interface Session {
  readonly id: string;
  readonly serial: string;
  readonly arrival: number;
  readonly departure: number;
  readonly energyWh: number;
  readonly offeredW: number | undefined;
}

interface Departure {
  readonly session: Session;
  readonly order: number;
}

/** A row begins a session; the ends of those before it stand in a heap, so memory holds the open ones and a number per stall. */
async function* readAcn(file: string, options: RecordingOptions): AsyncGenerator<SourceRecord> {
  const registers = new Map<string, number>();
  const leaving = new MinHeap<Departure>(
    (a, b) =>
      a.session.departure < b.session.departure || (a.session.departure === b.session.departure && a.order < b.order),
  );
  let columns: Columns | null = null;
  let newest = Number.NEGATIVE_INFINITY;
  for await (const row of readTable(file)) {
    columns ??= findColumns(row.header);
    const session = readSession(row, columns, options);
    if (session.arrival < newest)
      throw malformed(file, row.line, 'the session begins before the one in the line before');
    newest = session.arrival;
    for (let next = leaving.peek(); next !== undefined && next.session.departure <= newest; next = leaving.peek()) {
      leaving.pop();
      yield ended(next.session, registers);
    }
    if (!registers.has(session.serial)) {
      registers.set(session.serial, 0);
      yield* installation(session, options, registers.size);
    }
    yield started(session, registers);
    leaving.push({ session, order: row.line });
  }
  for (let next = leaving.pop(); next !== undefined; next = leaving.pop()) yield ended(next.session, registers);
}

function findColumns(header: Header): Columns {
  return {
    session: header.require('session_id'),
    station: header.require('station_id'),
    arrival: header.require('arrival_period_5m'),
    departure: header.require('departure_period_5m'),
    energy: header.require('kwh'),
    power: header.find('max_kw'),
  };
}

function readSession(row: Row, columns: Columns, options: RecordingOptions): Session {
  const id = row.text(columns.session);
  const station = row.text(columns.station);
  if (id === '' || station === '') throw malformed(row.file, row.line, 'the session or its station has no name');
  const energy = row.number(columns.energy);
  const power = row.number(columns.power);
  const arrival = instant(row, columns.arrival);
  const departure = instant(row, columns.departure);
  if (energy === undefined || energy < 0) throw malformed(row.file, row.line, 'the session has no energy');
  if (departure < arrival) throw malformed(row.file, row.line, 'the session ends before it begins');
  return {
    id,
    serial: withPrefix(options.serialPrefix, station),
    arrival,
    departure,
    energyWh: energy * 1000,
    offeredW: power === undefined ? undefined : Math.round(power * 1000),
  };
}

function instant(row: Row, column: number): number {
  const period = row.number(column);
  if (period === undefined || !Number.isInteger(period))
    throw malformed(row.file, row.line, `"${row.text(column)}" is not the number of a period`);
  return FIRST_PERIOD + period * PERIOD_MS;
}

function installation({ serial, arrival, offeredW }: Session, options: RecordingOptions, number: number) {
  return installationRecords({
    serial,
    kind: 'supercharger',
    siteId: options.siteId ?? withPrefix(options.serialPrefix, 'ACN-CALTECH'),
    position: `stall-${number}`,
    source: SOURCE,
    model: 'AC charging station',
    ratedW: offeredW,
    cadenceSeconds: CADENCE_SECONDS,
    firstReading: arrival,
  });
}

function started(session: Session, registers: ReadonlyMap<string, number>): SourceRecord {
  const { offeredW } = session;
  return message(session, session.arrival, 'Started', 'Occupied', registers.get(session.serial) ?? 0, {
    ...(offeredW === undefined ? {} : { offeredW }),
  });
}

function ended(session: Session, registers: Map<string, number>): SourceRecord {
  const register = (registers.get(session.serial) ?? 0) + session.energyWh;
  registers.set(session.serial, register);
  return message(session, session.departure, 'Ended', 'Available', register, {});
}

function message(
  { id, serial }: Session,
  time: number,
  sessionEvent: 'Started' | 'Ended',
  status: 'Occupied' | 'Available',
  register: number,
  more: { readonly offeredW?: number },
): SourceRecord {
  const deviceTime = new Date(time).toISOString();
  return telemetry({
    serial,
    kind: 'supercharger',
    deviceTime,
    receiveTime: deviceTime,
    txid: `${id}/${sessionEvent}`,
    fields: { sessionId: id, sessionEvent, status, deliveredWh: Math.round(register * 1000) / 1000, ...more },
  });
}
