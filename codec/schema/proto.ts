import {
  type DeclaredField,
  type DeclaredKind,
  type Declaration,
  INVALID,
  OTHER,
  snakeCase,
  typeName,
} from './declaration.ts';

const HEAD = `// Made by scripts/schemas.ts from the field lists of the kinds. Numbers are fixed for ever.
syntax = "proto3";
`;

const SPARSE = `  // Numbers of the fields that the device reports as invalid.
  repeated uint32 invalid = ${INVALID};
  // Fields that this schema does not have, and values that do not fit it: JSON text by name.
  map<string, string> other = ${OTHER};
`;

/** `telemetry.proto`: the first message is the record. */
export function telemetryProto({ kinds, severities }: Declaration): string {
  const oneof = kinds.map(({ name, number }) => `    ${typeName(name)} ${snakeCase(name)} = ${number};\n`).join('');
  const severity = severities.map(({ symbol, number }) => `  Severity_${symbol} = ${number};\n`).join('');
  return `${HEAD}
package gridfold.telemetry.v1;

// A device reading. Sparse: a field that is absent is unchanged.
message Telemetry {
  optional string serial = 1;
  // When the device measured, epoch milliseconds.
  optional int64 device_time_ms = 2;
  // When the record was received, epoch milliseconds; the log's timestamp where it is absent.
  optional int64 receive_time_ms = 3;
  // Tells duplicates from new readings.
  optional string txid = 4;
  // The device sends it again.
  optional bool resend = 5;
  // The device's own order of readings with the same time.
  optional int64 seq_no = 6;
  // The kind of the device, and its fields.
  oneof fields {
${oneof}  }
}

${kinds.map(kindMessage).join('\n')}
message Texts {
  repeated string items = 1;
}

enum Severity {
  Severity_UNSPECIFIED = 0;
${severity}}

message Alert {
  string name = 1;
  optional Severity severity = 2;
  // Epoch milliseconds.
  optional int64 started_at_ms = 3;
  // Epoch milliseconds; an alert without it is active.
  optional int64 ended_at_ms = 4;
}

message Alerts {
  repeated Alert items = 1;
}

// SampledValue of OCPP.
message SampledValue {
  optional string value = 1;
  optional string measurand = 2;
  optional string context = 3;
  optional string phase = 4;
  optional string location = 5;
  optional string unit = 6;
  // Power of ten (OCPP 2.0.1).
  optional sint32 multiplier = 7;
}

message SampledValues {
  repeated SampledValue items = 1;
}
`;
}

function kindMessage({ name, fields }: DeclaredKind): string {
  const enums = fields.filter(({ words }) => words.length > 0).map(enumOf);
  return `message ${typeName(name)} {
${enums.join('')}${fields.map(fieldLine).join('')}${SPARSE}}
`;
}

function enumOf({ name, words }: DeclaredField): string {
  const type = typeName(name);
  const lines = words.map(({ word, symbol, number }) => {
    const note = word === symbol ? '' : ` // "${word}"`;
    return `    ${type}_${symbol} = ${number};${note}\n`;
  });
  return `  enum ${type} {\n    ${type}_UNSPECIFIED = 0;\n${lines.join('')}  }\n`;
}

function fieldLine({ name, number, type, doc }: DeclaredField): string {
  if (type === null) return `  reserved ${number};\n  reserved "${snakeCase(name)}";\n`;
  const types = {
    number: 'double',
    bool: 'bool',
    text: 'string',
    enum: typeName(name),
    list: 'Texts',
    alerts: 'Alerts',
    meterValues: 'SampledValues',
  };
  return `  // ${doc}.\n  optional ${types[type]} ${snakeCase(name)} = ${number};\n`;
}

/** `lifecycle.proto`: the first message is the record. */
export function lifecycleProto({ lifecycle }: Declaration): string {
  const types = { text: 'string', number: 'double', bool: 'bool', list: 'Texts' };
  const parts = lifecycle.map(({ name, number, type, doc }) =>
    type === null
      ? `  reserved ${number};\n  reserved "${snakeCase(name)}";\n`
      : `  // ${doc}\n  optional ${types[type]} ${snakeCase(name)} = ${number};\n`,
  );
  return `${HEAD}
package gridfold.lifecycle.v1;

// What people and business systems say about an asset.
message Lifecycle {
  // Unique among the records of the asset.
  optional string id = 1;
  optional string serial = 2;
  optional string kind = 3;
  optional string type = 4;
  // When it happened, epoch milliseconds.
  optional int64 event_time_ms = 5;
  // When it was written down, epoch milliseconds; the log's timestamp where it is absent.
  optional int64 record_time_ms = 6;
  // System or person that says so.
  optional string source = 7;
  optional Data data = 8;
}

message Data {
${parts.join('')}  // Parts that this schema does not have, and values that do not fit it: JSON text by name.
  map<string, string> other = ${OTHER};
}

message Texts {
  repeated string items = 1;
}
`;
}
