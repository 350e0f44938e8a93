import { describe, expect, it } from 'vitest';
import { Reading } from '../runtime/shard/reading.ts';
import { BUILT_IN_SCHEMAS } from './built-in.ts';
import { TelemetryEncoder } from './encode.ts';
import type { TelemetryDocument } from './encode-parts.ts';
import { KINDS, referenceRecord } from './fixture.ts';
import { REASONS } from './reasons.ts';
import { type ResolvedSchema, type SchemaTable, schemaIdOf, schemaIdsIn, withHeader } from './wire.ts';
import { WireDecoder, type WireOptions } from './wire-decoder.ts';

const NOW = Date.parse('2022-07-08T12:00:00Z');
const record = JSON.parse(referenceRecord(7, 3)) as TelemetryDocument;
const encoder = new TelemetryEncoder(KINDS);
const [protobuf, avro, flatbuffers] = BUILT_IN_SCHEMAS;

/** A table of these schemas; ids above 900 were never asked for. */
const tableOf = (...schemas: ResolvedSchema[]): SchemaTable => ({
  get: (id) => schemas.find((schema) => schema.id === id) ?? (id > 900 ? undefined : 'unknown'),
});

function decode(bytes: Uint8Array, options: WireOptions = {}) {
  const decoder = new WireDecoder(KINDS, options);
  const reading = new Reading();
  const reason = REASONS[decoder.decode(bytes, 0, bytes.length, NOW, reading)].code;
  const { serialBytes, serialStart, serialEnd } = decoder;
  return { reason, reading, serial: Buffer.from(serialBytes.subarray(serialStart, serialEnd)).toString() };
}

const encoded = (schema: ResolvedSchema, of = record) => withHeader(schema, encoder.encode(of, schema.format));

describe('a value', () => {
  it('without a header is JSON', () => {
    const text = JSON.stringify(record);
    expect(decode(Buffer.from(text))).toMatchObject({ reason: 'ok', serial: record.serial });
    expect(decode(Buffer.from(`\n ${text}`)).reason).toBe('ok');
    expect(decode(new Uint8Array(0)).reason).toBe('empty');
    for (const schema of [protobuf, avro, flatbuffers])
      expect(decode(encoder.encode(record, schema.format)).reason).not.toBe('ok');
  });

  it.each([protobuf, avro, flatbuffers])('with the header of a schema in $format is read by it', (schema) => {
    expect(decode(encoded(schema))).toMatchObject({ reason: 'ok', serial: record.serial });
  });

  it('may be JSON with the header of a JSON schema', () => {
    const json = { id: 44, format: 'json', subject: 'telemetry', text: '{}' } as const;
    expect(decode(encoded(json), { schemas: tableOf(json) }).reason).toBe('ok');
  });

  it.each([
    ['00', 'undecodable'],
    ['00 00 00 01', 'undecodable'],
    ['00 ff ff ff ff 00', 'undecodable'],
    ['00 00 00 00 07', 'unknown_schema'],
    ['00 00 00 03 8d', 'unknown_schema'],
    ['00 00 00 00 01', 'missing_serial'],
    ['00 00 00 00 02', 'undecodable'],
    ['00 00 00 00 03', 'undecodable'],
    ['00 00 00 00 04', 'wrong_topic'],
    ['00 00 00 00 01 02 02', 'undecodable'],
  ])('%s is %s', (hex, reason) => {
    expect(decode(Buffer.from(hex.replaceAll(' ', ''), 'hex')).reason).toBe(reason);
  });

  it('of a schema that is none is undecodable', () => {
    for (const text of ['', '{}', '"odd"', '{"type":"record","name":"A"}', '["null","null"']) {
      const schemas = tableOf({ id: 5, format: 'avro', subject: 'telemetry', text });
      expect(decode(withHeader({ id: 5, format: 'avro' }, encoder.encode(record, 'avro')), { schemas }).reason).toBe(
        'undecodable',
      );
    }
  });

  it('in Protobuf tells the message by 0, by a list of one 0, or not at all', () => {
    const message = encoder.encode(record, 'protobuf');
    const header = Buffer.from([0, 0, 0, 0, protobuf.id]);
    for (const index of [[0], [2, 0], []])
      expect(decode(Buffer.concat([header, Buffer.from(index), message])).reason).toBe('ok');
    expect(decode(Buffer.concat([header, Buffer.from([2, 4]), message])).reason).toBe('undecodable');
  });

  it('of a schema that was judged not to exist stays so, also when it is known by now', () => {
    const judged = { unknown: new Set<number>() as ReadonlySet<number> };
    const decoder = new WireDecoder(KINDS, { judged });
    const bytes = encoded(avro);
    const decodeAgain = () => REASONS[decoder.decode(bytes, 0, bytes.length, NOW, new Reading())].code;
    expect(decodeAgain()).toBe('ok');
    judged.unknown = new Set([avro.id]);
    expect(decodeAgain()).toBe('unknown_schema');
    judged.unknown = new Set();
    expect(decodeAgain()).toBe('ok');
  });

  it('over the limit is too large', () => {
    const big = {
      ...record,
      fields: Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`x${i}`, 'y'.repeat(999)])),
    };
    for (const schema of [protobuf, avro, flatbuffers]) expect(decode(encoded(schema, big)).reason).toBe('too_large');
  });
});

describe.each([protobuf, avro, flatbuffers])('the same fault has the same reason in $format', (schema) => {
  it.each<[string, Partial<TelemetryDocument>]>([
    ['bad_serial', { serial: '' }],
    ['bad_serial', { serial: 'x'.repeat(65) }],
    ['missing_device_time', { deviceTime: '0001-01-01T00:00:00Z' }],
    ['bad_device_time', { deviceTime: 5 }],
    ['future_device_time', { deviceTime: NOW + 1e6 }],
    ['bad_receive_time', { receiveTime: 5 }],
    ['bad_txid', { txid: 'x'.repeat(257) }],
    ['too_deep', { fields: { deep: JSON.parse('['.repeat(63) + ']'.repeat(63)) } }],
  ])('%s', (reason, change) => {
    const faulty = { ...record, ...change };
    expect(decode(Buffer.from(JSON.stringify(faulty))).reason).toBe(reason);
    expect(decode(encoded(schema, faulty)).reason).toBe(reason);
  });
});

it('one decoder reads all formats in turn, and counts their problems together', () => {
  const decoder = new WireDecoder(KINDS);
  const odd = { ...record, fields: { ...record.fields, soc: null, zeta: 1 } };
  const values = [
    Buffer.from(JSON.stringify(odd)),
    ...[protobuf, avro, flatbuffers].map((schema) => encoded(schema, odd)),
  ];
  for (let round = 0; round < 3; round++) {
    for (const bytes of values) expect(decoder.decode(bytes, 0, bytes.length, NOW, new Reading())).toBe(0);
  }
  expect(Object.fromEntries([...decoder.problems].filter(([, count]) => count > 0))).toEqual({
    invalid_reported: 12,
    unknown_field: 12,
  });
});

describe('the ids of a batch', () => {
  it('are those that the table does not know', () => {
    const values = [encoded(protobuf), Buffer.from('{}'), encoded({ ...avro, id: 950 }), encoded({ ...avro, id: 951 })];
    const ends = values.map((_, i) => values.slice(0, i + 1).reduce((sum, value) => sum + value.length, 0));
    const starts = values.map((value, i) => ends[i] - value.length);
    const bytes = Buffer.concat(values);
    expect(values.map((_, i) => schemaIdOf(bytes, starts[i], ends[i]))).toEqual([1, -1, 950, 951]);
    expect([...schemaIdsIn(bytes, starts, ends, 0, 4, tableOf(protobuf))]).toEqual([950, 951]);
    expect([...schemaIdsIn(bytes, starts, ends, 0, 3, tableOf(protobuf))]).toEqual([950]);
  });
});
