import protobuf from 'protobufjs';
import type { TeslaMessage } from '../messages.ts';

/** The messages as another implementation of Protobuf writes them: their names and numbers, in our own words. */
const { root } = protobuf.parse(`syntax = "proto3";
message Timestamp { int64 seconds = 1; int32 nanos = 2; }
message Location { double latitude = 1; double longitude = 2; }
message Doors { bool driver_front = 1; bool driver_rear = 2; bool trunk_rear = 6; }
message Tires { bool front_left = 1; bool rear_right = 4; }
message Time { int32 hour = 1; int32 minute = 2; int32 second = 3; }
message Value {
  oneof value {
    string string = 1; int32 int = 2; int64 long = 3; float float = 4; double double = 5; bool boolean = 6;
    Location location = 7; bool invalid = 10; Doors doors = 21; Time time = 31; int32 charge_state = 32; Tires tires = 39;
    string later = 99;
  }
}
message Datum { int32 key = 1; Value value = 2; }
message V { repeated Datum data = 1; Timestamp created_at = 2; string vin = 3; bool is_resend = 4; string later = 77; }
message Alert { string name = 1; repeated int32 audiences = 2; Timestamp started_at = 3; Timestamp ended_at = 4; }
message Alerts { repeated Alert alerts = 1; Timestamp created_at = 2; string vin = 3; }
message Error { Timestamp created_at = 1; string name = 2; map<string, string> tags = 3; string body = 4; }
message Errors { repeated Error errors = 1; Timestamp created_at = 2; string vin = 3; }
message Connectivity { string vin = 1; string connection_id = 2; int32 status = 3; Timestamp created_at = 4; string network_interface = 5; }
`);

const TYPES: Readonly<Record<TeslaMessage, string>> = {
  V: 'V',
  alerts: 'Alerts',
  errors: 'Errors',
  connectivity: 'Connectivity',
};

/** The bytes of a message; members are in camel case. */
export function encodeTesla(message: TeslaMessage, value: object): Uint8Array {
  const type = root.lookupType(TYPES[message]);
  const problem = type.verify(value as Record<string, unknown>);
  if (problem !== null) throw new TypeError(problem);
  return type.encode(type.create(value as Record<string, unknown>)).finish();
}

/** Epoch milliseconds as a Timestamp. */
export const stamp = (ms: number) => ({ seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 });
