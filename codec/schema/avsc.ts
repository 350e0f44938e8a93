import { type DeclaredField, type DeclaredKind, type Declaration, typeName } from './declaration.ts';

type Schema = string | readonly unknown[] | { readonly [key: string]: unknown };

const INSTANT = { type: 'long', logicalType: 'timestamp-millis' };
const TEXTS = { type: 'array', items: 'string' };

const field = (name: string, type: Schema, doc?: string) => ({ name, type, ...(doc === undefined ? {} : { doc }) });
/** A part that may be absent. */
const maybe = (name: string, type: Schema, doc?: string) => ({ ...field(name, ['null', type], doc), default: null });
const other = {
  ...field('other', { type: 'map', values: 'string' }, 'What this schema has no place for: JSON text by name.'),
  default: {},
};
const printed = (schema: Schema) => `${JSON.stringify(schema, null, 2)}\n`;

/** `telemetry.avsc`. */
export function telemetryAvsc({ kinds, severities }: Declaration): string {
  const named = new Set<string>();
  /** Avro defines a name where it comes first; after that the name alone stands. */
  const once = (name: string, schema: () => Schema): Schema => {
    if (named.has(name)) return name;
    named.add(name);
    return schema();
  };
  const severity = ['UNSPECIFIED', ...severities.map(({ symbol }) => symbol)];
  const alert = (): Schema => ({
    type: 'record',
    name: 'Alert',
    fields: [
      field('name', 'string'),
      maybe('severity', { type: 'enum', name: 'Severity', symbols: severity, default: 'UNSPECIFIED' }),
      maybe('startedAt', INSTANT),
      maybe('endedAt', INSTANT, 'An alert without it is active.'),
    ],
  });
  const sample = (): Schema => ({
    type: 'record',
    name: 'SampledValue',
    doc: 'SampledValue of OCPP.',
    fields: [
      ...['value', 'measurand', 'context', 'phase', 'location', 'unit'].map((name) => maybe(name, 'string')),
      maybe('multiplier', 'int', 'Power of ten (OCPP 2.0.1).'),
    ],
  });
  const typeOf = (kind: DeclaredKind, { name, type, words }: DeclaredField): Schema => {
    switch (type) {
      case 'enum':
        return {
          type: 'enum',
          name: typeName(kind.name) + typeName(name),
          symbols: ['UNSPECIFIED', ...words.map(({ symbol }) => symbol)],
          default: 'UNSPECIFIED',
        };
      case 'list':
        return TEXTS;
      case 'alerts':
        return { type: 'array', items: once('Alert', alert) };
      case 'meterValues':
        return { type: 'array', items: once('SampledValue', sample) };
      case 'bool':
        return 'boolean';
      case 'text':
        return 'string';
      default:
        return 'double';
    }
  };
  const record = (kind: DeclaredKind): Schema => ({
    type: 'record',
    name: typeName(kind.name),
    fields: [
      ...kind.fields
        .filter(({ type }) => type !== null)
        .map((one) => ({ ...maybe(one.name, typeOf(kind, one), `${one.doc}.`), number: one.number })),
      {
        ...field('invalid', { type: 'array', items: 'int' }, 'Numbers of the fields reported as invalid.'),
        default: [],
      },
      other,
    ],
  });
  return printed({
    type: 'record',
    name: 'Telemetry',
    namespace: 'gridfold.telemetry.v1',
    doc: 'A device reading. Sparse: a field that is null is unchanged.',
    fields: [
      field('serial', 'string'),
      field('deviceTime', INSTANT, 'When the device measured.'),
      maybe('receiveTime', INSTANT, "When the record was received; the log's timestamp where it is null."),
      maybe('txid', 'string', 'Tells duplicates from new readings.'),
      { ...field('resend', 'boolean', 'The device sends it again.'), default: false },
      maybe('seqNo', 'long', "The device's own order of readings with the same time."),
      field('fields', kinds.map(record), 'The kind of the device, and its fields.'),
    ],
  });
}

/** `lifecycle.avsc`. */
export function lifecycleAvsc({ lifecycle }: Declaration): string {
  const types = { text: 'string', number: 'double', bool: 'boolean', list: TEXTS };
  const parts = lifecycle.flatMap(({ name, type, doc }) => (type === null ? [] : [maybe(name, types[type], doc)]));
  return printed({
    type: 'record',
    name: 'Lifecycle',
    namespace: 'gridfold.lifecycle.v1',
    doc: 'What people and business systems say about an asset.',
    fields: [
      field('id', 'string', 'Unique among the records of the asset.'),
      field('serial', 'string'),
      field('kind', 'string'),
      field('type', 'string'),
      field('eventTime', INSTANT, 'When it happened.'),
      maybe('recordTime', INSTANT, "When it was written down; the log's timestamp where it is null."),
      maybe('source', 'string', 'System or person that says so.'),
      maybe('data', { type: 'record', name: 'Data', fields: [...parts, other] }),
    ],
  });
}
