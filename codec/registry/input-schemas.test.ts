import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { kinds } from '../../actors/device/index.ts';
import { startTestRegistry } from '../../api/registry/testing/server.ts';
import { systemClock } from '../../runtime/kernel/clock.ts';
import { Reading } from '../../runtime/shard/reading.ts';
import { BUILT_IN_SCHEMAS } from '../built-in.ts';
import { TelemetryEncoder } from '../encode.ts';
import { type Format, withHeader } from '../wire.ts';
import { WireDecoder } from '../wire-decoder.ts';
import { type OpenSchemas, openSchemas, type SchemaOptions } from './open.ts';

let folder: string;
let open: OpenSchemas;
const messages: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gridfold-schemas-'));
  messages.length = 0;
});
afterEach(() => {
  open.close();
  rmSync(folder, { recursive: true });
});

const opened = (access: SchemaOptions['access'] = null) =>
  openSchemas({
    dataDir: folder,
    prefix: 'p.',
    access,
    kinds,
    clock: systemClock,
    onMessage: (level, message) => messages.push(`${level}: ${message}`),
  });

const at = Date.parse('2026-01-01T00:00:00Z');
const record = { serial: 'PW-1', kind: 'powerwall', deviceTime: at, fields: { powerW: -1500, soc: 0.5 } };
const encoder = new TelemetryEncoder(kinds);
const value = (id: number, format: Format) => withHeader({ id, format }, encoder.encode(record, format));

function batchOf(...values: Uint8Array[]) {
  const lengths = values.map(({ length }) => length);
  const valueEnd = Uint32Array.from(lengths, (_, i) => lengths.slice(0, i + 1).reduce((sum, one) => sum + one, 0));
  const valueStart = Uint32Array.from(lengths, (length, i) => valueEnd[i] - length);
  const none = new Uint32Array(values.length);
  const bytes = new Uint8Array(Buffer.concat(values));
  const batch = { baseOffset: 0, count: values.length, timestamp: at, bytes, keyStart: none, keyEnd: none };
  return { ...batch, valueStart, valueEnd };
}

/** As a shard does it: what is missing is asked for, what does not exist is noted, then the run is decoded. */
async function fold(schemas: OpenSchemas['schemas'], batch: ReturnType<typeof batchOf>) {
  const missing = schemas.missing(batch, 0, batch.count);
  const unknown = missing.size === 0 ? [] : await schemas.resolve(missing, new AbortController().signal);
  return { unknown, reasons: decodeAll(schemas, batch, unknown) };
}

function decodeAll(schemas: OpenSchemas['schemas'], batch: ReturnType<typeof batchOf>, unknown: readonly number[]) {
  const decoder = new WireDecoder(kinds, { schemas: schemas.table, judged: { unknown: new Set(unknown) } });
  const reading = new Reading();
  return Array.from(batch.valueStart, (start, i) => {
    const reason = decoder.decode(batch.bytes, start, batch.valueEnd[i], at, reading);
    return reason === 0 ? reading.values.slice(0, 2)[0] : decoder.reasons[reason];
  });
}

test('records of every format are read by the ids that the small registry gave their schemas', async () => {
  open = await opened();
  expect(messages).toEqual([]);
  expect(open.registry.subjects).toEqual(['p.lifecycle-value', 'p.telemetry-value']);
  const values = BUILT_IN_SCHEMAS.filter(({ subject }) => subject === 'telemetry').map(({ id, format }) =>
    value(id, format),
  );
  const json = open.registry.version('p.telemetry-value', 'latest');
  expect(json.schemaType).toBe('JSON');
  values.push(value(json.id, 'json'), Buffer.from(JSON.stringify(record)));
  expect(values).toHaveLength(5);
  const batch = batchOf(...values);
  expect(await fold(open.schemas, batch)).toEqual({ unknown: [], reasons: [-1500, -1500, -1500, -1500, -1500] });
  expect(open.schemas.missing(batch, 0, batch.count).size).toBe(0);
});

test('starting again registers nothing anew', async () => {
  open = await opened();
  const before = open.registry.subjects.map((subject) => open.registry.versions(subject));
  open = await opened();
  expect(open.registry.subjects.map((subject) => open.registry.versions(subject))).toEqual(before);
  expect(messages).toEqual([]);
});

describe('another registry', () => {
  test('is asked for what records name; a replay says what was said then', async () => {
    const server = await startTestRegistry();
    server.registry.setLevel('NONE');
    const avro = BUILT_IN_SCHEMAS.find(({ subject, format }) => subject === 'telemetry' && format === 'avro');
    const schema = { schemaType: 'AVRO', schema: avro?.text ?? '' } as const;
    server.registry.register('p.telemetry-value', { schemaType: 'AVRO', schema: '"int"' });
    server.registry.register('p.telemetry-value', schema);
    open = await opened({ urls: [server.url] });
    const batch = batchOf(value(2, 'avro'), value(3, 'avro'), value(1, 'avro'));
    const live = await fold(open.schemas, batch);
    expect(live).toEqual({ unknown: [3], reasons: [-1500, 'unknown_schema', 'undecodable'] });
    expect([...open.schemas.missing(batch, 0, 3)]).toEqual([3]);

    server.registry.register('p.telemetry-value', {
      schemaType: 'AVRO',
      schema: JSON.stringify({ ...JSON.parse(schema.schema), doc: 'new' }),
    });
    const later = await opened({ urls: [server.url] });
    await later.schemas.require(new Set([1, 2, 3]));
    expect(decodeAll(later.schemas, batch, [])).toEqual([-1500, -1500, 'undecodable']);
    expect(decodeAll(later.schemas, batch, live.unknown)).toEqual(live.reasons);
    later.close();
    await server.close();
  });

  test('that refuses us is told at the start, without stopping it', async () => {
    const server = await startTestRegistry({ authToken: 'right' });
    let told = (_: string) => {};
    const message = new Promise<string>((resolve) => {
      told = resolve;
    });
    open = await openSchemas({
      dataDir: folder,
      prefix: 'p.',
      access: { urls: [server.url], auth: { token: 'wrong-one' } },
      kinds,
      clock: systemClock,
      onMessage: (_, text) => told(text),
    });
    expect(await message).toMatch(/refuses us.*check the user and password/);
    expect(await message).not.toContain('wrong-one');
    expect(open.status()).toMatchObject({ state: 'denied', fault: { code: 'registry_denied' } });
    await server.close();
  });
});

test('one decoder gives the verdict of each run, though the schema is known by now', async () => {
  open = await opened();
  const batch = batchOf(value(2, 'avro'));
  const judged = { unknown: new Set<number>() as ReadonlySet<number> };
  await open.schemas.resolve(new Set([2]), new AbortController().signal);
  const decoder = new WireDecoder(kinds, { schemas: open.schemas.table, judged });
  const reasons = [[], [2], []].map((unknown) => {
    judged.unknown = new Set(unknown);
    return decoder.reasons[decoder.decode(batch.bytes, 0, batch.valueEnd[0], at, new Reading())];
  });
  expect(reasons).toEqual(['ok', 'unknown_schema', 'ok']);
});
