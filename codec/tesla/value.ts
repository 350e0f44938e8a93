import { bare } from '../wire-document.ts';
import type { JsonObject } from '../document.ts';
import { FIXED32, FIXED64, LEN, type ProtoCursor, VARINT } from '../protobuf/cursor.ts';

/** A message of google.protobuf.Timestamp as epoch milliseconds. */
export function readTimestamp(message: ProtoCursor): number {
  let seconds = 0;
  let nanos = 0;
  while (message.next()) {
    if (message.number === 1 && message.wire === VARINT) seconds = message.varint();
    else if (message.number === 2 && message.wire === VARINT) nanos = message.varint();
    else message.skip();
  }
  return seconds * 1000 + Math.floor(nanos / 1e6);
}

/** A map entry of texts, put into `into`. */
export function readTag(message: ProtoCursor, into: JsonObject): void {
  let key = '';
  let value = '';
  while (message.next()) {
    if (message.number === 1 && message.wire === LEN) key = message.text();
    else if (message.number === 2 && message.wire === LEN) value = message.text();
    else message.skip();
  }
  into[key] = value;
}

/** Flags by field number, those that are set; `names[0]` is that of field 1. */
function readFlags(message: ProtoCursor, names: readonly string[]): JsonObject {
  const flags = bare();
  while (message.next()) {
    const name = names[message.number - 1];
    if (name !== undefined && message.wire === VARINT) flags[name] = message.varint() !== 0;
    else message.skip();
  }
  return flags;
}

const DOORS = ['DriverFront', 'DriverRear', 'PassengerFront', 'PassengerRear', 'TrunkFront', 'TrunkRear'];
const TIRES = [
  'FrontLeft',
  'FrontRight',
  'RearLeft',
  'RearRight',
  'SemiMiddleAxleLeft2',
  'SemiMiddleAxleRight2',
  'SemiRearAxleLeft',
  'SemiRearAxleRight',
  'SemiRearAxleLeft2',
  'SemiRearAxleRight2',
];

function readLocation(message: ProtoCursor): JsonObject {
  const place = { latitude: 0, longitude: 0 };
  while (message.next()) {
    if (message.number === 1 && message.wire === FIXED64) place.latitude = message.double();
    else if (message.number === 2 && message.wire === FIXED64) place.longitude = message.double();
    else message.skip();
  }
  return place;
}

/** Time of day as `hh:mm:ss`. */
function readTimeOfDay(message: ProtoCursor): string {
  const parts = [0, 0, 0];
  while (message.next()) {
    if (message.number <= 3 && message.wire === VARINT) parts[message.number - 1] = message.varint();
    else message.skip();
  }
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

const BOOLEAN = 6;
const LOCATION = 7;
const INVALID = 10;
const DOOR = 21;
const TIME = 31;
const TIRE = 39;

/**
 * A message of Value: the one member that is set. Words of enums come as their numbers; what is marked invalid, or says
 * nothing, is null.
 */
export function readValue(message: ProtoCursor): unknown {
  let value: unknown = null;
  while (message.next()) value = readMember(message);
  return value;
}

function readMember(message: ProtoCursor): unknown {
  const { number, wire } = message;
  switch (wire) {
    case VARINT: {
      const varint = message.varint();
      if (number === INVALID) return null;
      return number === BOOLEAN ? varint !== 0 : varint;
    }
    case FIXED32:
      return message.float();
    case FIXED64:
      return message.double();
    case LEN:
      if (number === LOCATION) return readLocation(message.message());
      if (number === DOOR) return readFlags(message.message(), DOORS);
      if (number === TIRE) return readFlags(message.message(), TIRES);
      if (number === TIME) return readTimeOfDay(message.message());
      return validText(message.textOrBytes());
    default:
      message.skip();
      return null;
  }
}

/** What older firmware sends as text where there is no value. */
const validText = (text: string) => (text === '' || text === '<invalid>' ? null : text);
