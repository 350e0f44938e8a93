import type { JsonObject } from '../document.ts';
import { LEN, ProtoCursor, VARINT } from '../protobuf/cursor.ts';
import { bare } from '../wire-document.ts';
import { teslaFieldName } from './fields.ts';
import { readTag, readTimestamp, readValue } from './value.ts';

/** The messages that fleet-telemetry writes, by the type of record that its topics are named for. */
export const TESLA_MESSAGES = ['V', 'alerts', 'errors', 'connectivity'] as const;
export type TeslaMessage = (typeof TESLA_MESSAGES)[number];

/** What a message says, whichever it is. */
export interface TeslaRecord {
  vin: string;
  /** Epoch milliseconds; null where the message names none. */
  createdAt: number | null;
  isResend: boolean;
  /** By Tesla's name of the field; null = invalid. */
  readonly values: JsonObject;
  readonly alerts: JsonObject[] | null;
}

const record = (alerts: JsonObject[] | null): TeslaRecord => ({
  vin: '',
  createdAt: null,
  isResend: false,
  values: bare(),
  alerts,
});

/** Reads the message in bytes [start, end). Throws a Refusal where they hold none. */
export function readTesla(message: TeslaMessage, bytes: Uint8Array, start: number, end: number): TeslaRecord {
  return READERS[message](new ProtoCursor(bytes, start, end));
}

const READERS: Readonly<Record<TeslaMessage, (message: ProtoCursor) => TeslaRecord>> = {
  V: readPayload,
  alerts: readAlerts,
  errors: readErrors,
  connectivity: readConnectivity,
};

/** Reads `created_at` (2) and `vin` (3), which all but one of the messages have there. */
function readCommon(message: ProtoCursor, into: TeslaRecord): void {
  if (message.number === 2 && message.wire === LEN) into.createdAt = readTimestamp(message.message());
  else if (message.number === 3 && message.wire === LEN) into.vin = message.text();
  else message.skip();
}

function readPayload(message: ProtoCursor): TeslaRecord {
  const payload = record(null);
  while (message.next()) {
    if (message.number === 1 && message.wire === LEN) readDatum(message.message(), payload.values);
    else if (message.number === 4 && message.wire === VARINT) payload.isResend = message.varint() !== 0;
    else readCommon(message, payload);
  }
  return payload;
}

function readDatum(message: ProtoCursor, values: JsonObject): void {
  let key = 0;
  let value: unknown = null;
  while (message.next()) {
    if (message.number === 1 && message.wire === VARINT) key = message.varint();
    else if (message.number === 2 && message.wire === LEN) value = readValue(message.message());
    else message.skip();
  }
  values[teslaFieldName(key)] = value;
}

function readAlerts(message: ProtoCursor): TeslaRecord {
  const alerts: JsonObject[] = [];
  const found = record(alerts);
  while (message.next()) {
    if (message.number === 1 && message.wire === LEN) alerts.push(readAlert(message.message()));
    else readCommon(message, found);
  }
  return found;
}

function readAlert(message: ProtoCursor): JsonObject {
  const alert = { name: '', startedAt: null as number | null, endedAt: null as number | null };
  while (message.next()) {
    if (message.number === 1 && message.wire === LEN) alert.name = message.text();
    else if (message.number === 3 && message.wire === LEN) alert.startedAt = readTimestamp(message.message());
    else if (message.number === 4 && message.wire === LEN) alert.endedAt = readTimestamp(message.message());
    else message.skip();
  }
  return alert;
}

function readErrors(message: ProtoCursor): TeslaRecord {
  const found = record(null);
  const errors: JsonObject[] = [];
  while (message.next()) {
    if (message.number === 1 && message.wire === LEN) errors.push(readError(message.message()));
    else readCommon(message, found);
  }
  found.values.VehicleErrors = errors;
  return found;
}

function readError(message: ProtoCursor): JsonObject {
  const error = { name: '', body: '', createdAt: null as number | null, tags: bare() };
  while (message.next()) {
    if (message.number === 1 && message.wire === LEN) error.createdAt = readTimestamp(message.message());
    else if (message.number === 2 && message.wire === LEN) error.name = message.text();
    else if (message.number === 3 && message.wire === LEN) readTag(message.message(), error.tags);
    else if (message.number === 4 && message.wire === LEN) error.body = message.text();
    else message.skip();
  }
  return error;
}

const EVENTS = ['UNKNOWN', 'CONNECTED', 'DISCONNECTED'];

function readConnectivity(message: ProtoCursor): TeslaRecord {
  const found = record(null);
  const { values } = found;
  values.ConnectivityEvent = EVENTS[0];
  while (message.next()) {
    const { number, wire } = message;
    if (number === 1 && wire === LEN) found.vin = message.text();
    else if (number === 2 && wire === LEN) values.ConnectionId = message.text();
    else if (number === 3 && wire === VARINT) values.ConnectivityEvent = eventOf(message.varint());
    else if (number === 4 && wire === LEN) found.createdAt = readTimestamp(message.message());
    else if (number === 5 && wire === LEN) values.NetworkInterface = message.text();
    else message.skip();
  }
  return found;
}

const eventOf = (number: number) => EVENTS[number] ?? String(number);
