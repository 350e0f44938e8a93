import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { deviceTypeWith, kinds } from '../../actors/device/index.ts';
import { startTestRegistry, type TestRegistry } from '../../api/registry/testing/server.ts';
import { ManualClock, systemClock } from '../../runtime/kernel/clock.ts';
import { openRig, type Rig, START } from '../../runtime/system/testing/rig.ts';
import { BUILT_IN_SCHEMAS } from '../built-in.ts';
import { TelemetryEncoder } from '../encode.ts';
import { encodeLifecycle } from '../wire-lifecycle.ts';
import { type Format, withHeader } from '../wire.ts';
import { type OpenSchemas, openSchemas } from './open.ts';
import { SchemaRegistry } from './registry.ts';
import type { SchemaType } from './schema-type.ts';

const encoder = new TelemetryEncoder(kinds);
const ROUND = 60_000;
const closers: (() => Promise<unknown>)[] = [];
let folder: string;
let server: TestRegistry;
let state: ConstructorParameters<typeof SchemaRegistry>[0];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gridfold-schemas-'));
  state = { schemas: [], subjects: new Map(), level: 'NONE', levels: new Map() };
  await startRegistry();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await server.close();
  rmSync(folder, { recursive: true });
});

async function startRegistry(port?: number): Promise<void> {
  const registry = new SchemaRegistry(state, (next) => {
    state = next;
  });
  server = await startTestRegistry({ registry, port });
}

/** Registers one of our own schemas; returns its id there. */
function register(subject: 'telemetry' | 'lifecycle', format: Format, schemaType: SchemaType, suffix = ''): number {
  const text = BUILT_IN_SCHEMAS.find((one) => one.subject === subject && one.format === format)?.text ?? '';
  return server.registry.register(`p.${subject}-value`, { schemaType, schema: text + suffix });
}

async function start(clock: ManualClock): Promise<{ rig: Rig; schemas: OpenSchemas }> {
  const access = { urls: [server.url] };
  const options = { dataDir: folder, prefix: 'p.', access, kinds, clock: systemClock, onMessage() {} };
  const schemas = await openSchemas(options);
  const type = deviceTypeWith({ table: schemas.schemas.table, input: schemas.schemas });
  const rig = await openRig(folder, clock, { types: [type] }, closers);
  closers.push(async () => schemas.close());
  return { rig, schemas };
}

const record = (serial: string, minute: number, powerW: number) => ({
  serial,
  kind: 'powerwall',
  deviceTime: START + minute * 60_000,
  fields: { powerW, gridStatus: 'SystemGridConnected' },
});
const value = (id: number, format: Format, of: ReturnType<typeof record>) =>
  withHeader({ id, format }, encoder.encode(of, format));
const powerOf = (rig: Rig, serial: string) => rig.runtime.asset(serial)?.values.powerW?.value;

test('records in the formats of a registry are folded like those in JSON', async () => {
  const clock = new ManualClock(START + ROUND);
  const ids = {
    json: -1,
    protobuf: register('telemetry', 'protobuf', 'PROTOBUF'),
    avro: register('telemetry', 'avro', 'AVRO'),
    flatbuffers: register('telemetry', 'flatbuffers', 'FLATBUFFERS'),
  };
  const lifecycle = register('lifecycle', 'avro', 'AVRO');
  const { rig } = await start(clock);
  const formats = ['json', 'protobuf', 'avro', 'flatbuffers'] as const;
  await rig.runtime.produce(
    'telemetry',
    formats.map((format) => {
      const one = record(`PW-${format}`, 0, -1500);
      const bytes = format === 'json' ? encoder.encode(one, 'json') : value(ids[format], format, one);
      return { key: one.serial, value: bytes };
    }),
  );
  const installed = {
    id: 'i1',
    serial: 'PW-json',
    kind: 'powerwall',
    type: 'installed',
    eventTime: START,
    data: { siteId: 'S-1', position: 'battery-1' },
  };
  const told = withHeader({ id: lifecycle, format: 'avro' }, encodeLifecycle(installed, 'avro'));
  await rig.runtime.produce('lifecycle', [{ key: 'PW-json', value: told }]);
  await rig.runtime.settled();
  expect(formats.map((format) => powerOf(rig, `PW-${format}`))).toEqual([-1500, -1500, -1500, -1500]);
  expect(rig.runtime.asset('PW-json')?.siteId).toBe('S-1');
  expect(await rig.deadLetters()).toEqual([]);
});

test('a schema that there is not makes a dead letter, and does so again in a replay that would know it', async () => {
  const clock = new ManualClock(START + ROUND);
  register('telemetry', 'avro', 'AVRO');
  const first = await start(clock);
  await first.rig.runtime.produce('telemetry', [
    { key: 'PW-1', value: value(1, 'avro', record('PW-1', 0, -1000)) },
    { key: 'PW-1', value: value(2, 'avro', record('PW-1', 1, -2000)) },
  ]);
  await first.rig.runtime.settled();
  expect(powerOf(first.rig, 'PW-1')).toBe(-1000);
  expect((await first.rig.deadLetters()).map(({ reason }) => reason)).toEqual(['unknown_schema']);
  const before = [first.rig.runtime.asset('PW-1'), await first.rig.derived()];
  await first.rig.drop();
  first.schemas.close();

  expect(register('telemetry', 'avro', 'AVRO', ' ')).toBe(1);
  server.registry.register('p.telemetry-value', { schemaType: 'AVRO', schema: newer() });
  const second = await start(clock);
  expect(second.rig.replayed.some((count) => count > 0)).toBe(true);
  expect([second.rig.runtime.asset('PW-1'), await second.rig.derived()]).toEqual(before);
  expect((await second.rig.deadLetters()).map(({ reason }) => reason)).toEqual(['unknown_schema']);

  await second.rig.runtime.produce('telemetry', [{ key: 'PW-1', value: value(2, 'avro', record('PW-1', 2, -3000)) }]);
  await second.rig.runtime.settled();
  expect(powerOf(second.rig, 'PW-1')).toBe(-3000);
});

const newer = () => {
  const text = BUILT_IN_SCHEMAS.find((one) => one.subject === 'telemetry' && one.format === 'avro')?.text ?? '';
  return JSON.stringify({ ...JSON.parse(text), doc: 'of a newer release' });
};

test('while the registry is away, known schemas go on, a new one waits, and nothing is lost', async () => {
  const clock = new ManualClock(START + ROUND);
  register('telemetry', 'avro', 'AVRO');
  const { rig, schemas } = await start(clock);
  await rig.runtime.produce('telemetry', [{ key: 'PW-1', value: value(1, 'avro', record('PW-1', 0, -1000)) }]);
  await rig.runtime.settled();
  const id = server.registry.register('p.telemetry-value', { schemaType: 'AVRO', schema: newer() });
  const port = Number(new URL(server.url).port);
  await server.close();

  await rig.runtime.produce('telemetry', [{ key: 'PW-1', value: value(1, 'avro', record('PW-1', 1, -1100)) }]);
  await rig.runtime.settled();
  expect(powerOf(rig, 'PW-1')).toBe(-1100);
  await rig.runtime.produce('telemetry', [
    { key: 'PW-1', value: value(id, 'avro', record('PW-1', 2, -1200)) },
    { key: 'PW-1', value: value(1, 'avro', record('PW-1', 3, -1300)) },
  ]);
  await vi.waitFor(() => expect(schemas.status()).toMatchObject({ state: 'down', waiting: 1, unknown: 0 }), 10_000);
  expect(powerOf(rig, 'PW-1')).toBe(-1100);

  await startRegistry(port);
  await rig.runtime.settled();
  expect(powerOf(rig, 'PW-1')).toBe(-1300);
  expect(rig.runtime.asset('PW-1')?.counts.applied).toBe(4);
  expect(await rig.deadLetters()).toEqual([]);
  expect(schemas.status()).toMatchObject({ state: 'up', waiting: 0 });
});

test('a partition that waits for a schema can be closed, and goes on at the next start', async () => {
  const clock = new ManualClock(START + ROUND);
  const id = register('telemetry', 'avro', 'AVRO');
  const port = Number(new URL(server.url).port);
  const { rig, schemas } = await start(clock);
  await server.close();
  await rig.runtime.produce('telemetry', [{ key: 'PW-1', value: value(id, 'avro', record('PW-1', 0, -1000)) }]);
  await vi.waitFor(() => expect(schemas.status().waiting).toBe(1), 10_000);
  await rig.stop();
  schemas.close();
  await startRegistry(port);
  const next = await start(clock);
  await next.rig.runtime.settled();
  expect(powerOf(next.rig, 'PW-1')).toBe(-1000);
});
