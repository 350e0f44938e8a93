import { type DeclaredField, type DeclaredKind, type Declaration, snakeCase, typeName } from './declaration.ts';

const HEAD = '// Made by scripts/schemas.ts from the field lists of the kinds. Ids are fixed for ever.\n';

/** Ids before those of fields: `invalid` and `other`. The id of a field is its number and one. */
export const FIRST_FIELD_ID = 1;

const OTHER_TABLE = `table Other {
  name: string;
  // JSON text.
  value: string;
}
`;

/** `telemetry.fbs`. */
export function telemetryFbs({ kinds, severities }: Declaration): string {
  const union = kinds.map(({ name }) => typeName(name)).join(', ');
  return `${HEAD}namespace gridfold.telemetry.v1;

enum Severity: ubyte { UNSPECIFIED = 0, ${severities.map(({ symbol, number }) => `${symbol} = ${number}`).join(', ')} }

table Alert {
  name: string;
  severity: Severity = null;
  // Epoch milliseconds.
  started_at_ms: long = null;
  // Epoch milliseconds; an alert without it is active.
  ended_at_ms: long = null;
}

// SampledValue of OCPP.
table SampledValue {
  value: string;
  measurand: string;
  context: string;
  phase: string;
  location: string;
  unit: string;
  // Power of ten (OCPP 2.0.1).
  multiplier: int = null;
}

${OTHER_TABLE}
${kinds.flatMap(enumsOf).join('')}
${kinds.map(kindTable).join('\n')}
union Fields { ${union} }

// A device reading. Sparse: a field that is absent is unchanged.
table Telemetry {
  serial: string (id: 0);
  // When the device measured, epoch milliseconds.
  device_time_ms: long = null (id: 1);
  // When the record was received, epoch milliseconds; the log's timestamp where it is absent.
  receive_time_ms: long = null (id: 2);
  // Tells duplicates from new readings.
  txid: string (id: 3);
  // The device sends it again.
  resend: bool = null (id: 4);
  // The device's own order of readings with the same time.
  seq_no: long = null (id: 5);
  // The kind of the device, and its fields.
  fields: Fields (id: 7);
}

root_type Telemetry;
`;
}

function enumsOf(kind: DeclaredKind): string[] {
  return kind.fields
    .filter(({ words }) => words.length > 0)
    .map(({ name, words }) => {
      const lines = words.map(({ word, symbol, number }) => {
        const note = word === symbol ? '' : ` // "${word}"`;
        return `  ${symbol} = ${number},${note}\n`;
      });
      return `enum ${typeName(kind.name)}${typeName(name)}: ubyte {\n  UNSPECIFIED = 0,\n${lines.join('')}}\n`;
    });
}

function kindTable(kind: DeclaredKind): string {
  return `table ${typeName(kind.name)} {
  // Numbers of the fields that the device reports as invalid; a field's number is its id less one.
  invalid: [ushort] (id: 0);
  // Fields that this schema does not have, and values that do not fit it.
  other: [Other] (id: 1);
${kind.fields.map((field) => fieldLine(kind, field)).join('')}}
`;
}

function fieldLine(kind: DeclaredKind, { name, number, type, doc }: DeclaredField): string {
  const id = number + FIRST_FIELD_ID;
  const types = {
    number: 'double = null',
    bool: 'bool = null',
    text: 'string',
    enum: `${typeName(kind.name)}${typeName(name)} = null`,
    list: '[string]',
    alerts: '[Alert]',
    meterValues: '[SampledValue]',
  };
  if (type === null) return `  ${snakeCase(name)}: ubyte (id: ${id}, deprecated);\n`;
  return `  // ${doc}.\n  ${snakeCase(name)}: ${types[type]} (id: ${id});\n`;
}

/** `lifecycle.fbs`. The id of a part of the data is its number. */
export function lifecycleFbs({ lifecycle }: Declaration): string {
  const types = { text: 'string', number: 'double = null', bool: 'bool = null', list: '[string]' };
  const parts = lifecycle.map(({ name, number, type, doc }) =>
    type === null
      ? `  ${snakeCase(name)}: ubyte (id: ${number}, deprecated);\n`
      : `  // ${doc}\n  ${snakeCase(name)}: ${types[type]} (id: ${number});\n`,
  );
  return `${HEAD}namespace gridfold.lifecycle.v1;

${OTHER_TABLE}
table Data {
  // Parts that this schema does not have, and values that do not fit it.
  other: [Other] (id: 0);
${parts.join('')}}

// What people and business systems say about an asset.
table Lifecycle {
  // Unique among the records of the asset.
  id: string (id: 0);
  serial: string (id: 1);
  kind: string (id: 2);
  type: string (id: 3);
  // When it happened, epoch milliseconds.
  event_time_ms: long = null (id: 4);
  // When it was written down, epoch milliseconds; the log's timestamp where it is absent.
  record_time_ms: long = null (id: 5);
  // System or person that says so.
  source: string (id: 6);
  data: Data (id: 7);
}

root_type Lifecycle;
`;
}
