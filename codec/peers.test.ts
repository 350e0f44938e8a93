import avro from 'avsc';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { kinds } from '../actors/device/index.ts';
import { BUILT_IN_SCHEMAS } from './built-in.ts';
import { TelemetryEncoder } from './encode.ts';
import { camelCase, snakeCase, typeName } from './schema/declaration.ts';
import { schemaText } from './schema/files.ts';
import { SAMPLE_LIFECYCLE, sampleRecord } from './testing/samples.ts';
import { told } from './testing/told.ts';
import { withHeader } from './wire.ts';
import { WireDecoder } from './wire-decoder.ts';
import { encodeLifecycle } from './wire-lifecycle.ts';

/** What other implementations make of our bytes, and what we make of theirs. */

const encoder = new TelemetryEncoder(kinds);
const [protobufSchema] = BUILT_IN_SCHEMAS;
const NOW = 1657270801000;
const proto = protobuf.parse(schemaText('telemetry', 'protobuf')).root;
const avroType = avro.Type.forSchema(JSON.parse(schemaText('telemetry', 'avro')));
const lifecycleProto = protobuf.parse(schemaText('lifecycle', 'protobuf')).root.lookupType('Lifecycle');
const lifecycleAvro = avro.Type.forSchema(JSON.parse(schemaText('lifecycle', 'avro')));
const decode = (bytes: Uint8Array) => told(new WireDecoder(kinds), kinds, bytes, NOW);

describe.each(kinds.map((kind) => [kind.name, kind] as const))('a %s', (name, kind) => {
  const record = sampleRecord(kind);

  it('is what protobufjs reads and writes', () => {
    const bytes = encoder.encode(record, 'protobuf');
    const type = proto.lookupType('Telemetry');
    const message = type.decode(bytes);
    const read = type.toObject(message, { enums: String, longs: Number });
    expect(read).toMatchObject({ serial: record.serial, deviceTimeMs: record.deviceTime, seqNo: 300, resend: true });
    for (const spec of kind.fields) {
      const value = read[name][camelCase(snakeCase(spec.name))];
      if (spec.type === 'number' && record.fields[spec.name] !== null) expect(value).toBe(record.fields[spec.name]);
      if (spec.type === 'list') expect(value.items).toEqual(record.fields[spec.name]);
    }
    expect(decode(withHeader(protobufSchema, type.encode(message).finish()))).toEqual(
      decode(withHeader(protobufSchema, bytes)),
    );
  });

  it('is what avsc reads and writes', () => {
    const bytes = Buffer.from(encoder.encode(record, 'avro'));
    const read = avroType.fromBuffer(bytes);
    expect(read).toMatchObject({ serial: record.serial, deviceTime: record.deviceTime, seqNo: 300, resend: true });
    const fields = read.fields[`gridfold.telemetry.v1.${typeName(name)}`];
    for (const spec of kind.fields) {
      if (spec.type === 'number') expect(fields[spec.name]).toBe(record.fields[spec.name]);
    }
    expect(avroType.toBuffer(read)).toEqual(bytes);
  });
});

it('a lifecycle record is what protobufjs and avsc read', () => {
  const { id, eventTime, data } = SAMPLE_LIFECYCLE;
  const message = lifecycleProto.decode(encodeLifecycle(SAMPLE_LIFECYCLE, 'protobuf'));
  expect(lifecycleProto.toObject(message, { longs: Number })).toMatchObject({
    id,
    eventTimeMs: eventTime,
    data: { siteId: data?.siteId, cadenceSeconds: 300, other: { note: '{"any":[1]}' } },
  });
  expect(lifecycleAvro.fromBuffer(Buffer.from(encodeLifecycle(SAMPLE_LIFECYCLE, 'avro')))).toMatchObject({
    id,
    eventTime,
    data: { siteId: data?.siteId, cadenceSeconds: 300, ticket: null, other: { note: '{"any":[1]}' } },
  });
});

it('an Avro schema of somebody else is read by its names', () => {
  const text = {
    type: 'record',
    name: 'Reading',
    fields: [
      { name: 'kind', type: 'string' },
      { name: 'serial', type: 'string' },
      { name: 'deviceTime', type: { type: 'long', logicalType: 'timestamp-micros' } },
      {
        name: 'fields',
        type: {
          type: 'record',
          name: 'Values',
          fields: [
            { name: 'soc', type: 'float' },
            { name: 'powerW', type: ['null', 'int'] },
            { name: 'gridStatus', type: 'string' },
            { name: 'cells', type: { type: 'array', items: 'int' } },
          ],
        },
      },
    ],
  } as const;
  const theirs = avro.Type.forSchema(text as unknown as avro.Schema);
  const schema = {
    id: 9,
    format: 'avro',
    subject: 'telemetry',
    text: JSON.stringify(text),
  } as const;
  const value = { soc: 0.5, powerW: -1500, gridStatus: 'SystemGridConnected', cells: [1, 2] };
  const bytes = theirs.toBuffer({ kind: 'powerwall', serial: 'PW-1', deviceTime: 1657270799123456, fields: value });
  const decoder = new WireDecoder(kinds, { schemas: { get: (id) => (id === 9 ? schema : 'unknown') } });
  expect(told(decoder, kinds, withHeader(schema, bytes), NOW)).toMatchObject({
    serial: 'PW-1',
    kind: 'powerwall',
    deviceTime: 1657270799123,
    fields: { soc: 0.5, powerW: -1500, gridStatus: 'SystemGridConnected' },
    extra: { cells: '[1,2]' },
  });
});
