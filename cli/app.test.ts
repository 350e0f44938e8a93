import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, expect, test } from 'vitest';
import { openDuckDbSink } from '../actors/sinks/duckdb/sink.ts';
import { systemClock } from '../runtime/kernel/clock.ts';
import { topics } from '../runtime/log/contract.ts';
import { openEmbeddedLog } from '../runtime/log/embedded/embedded.ts';
import { loadConfig } from '../runtime/system/config.ts';
import type { App } from './app-contract.ts';
import { openApp } from './app.ts';
import { kindDefaults } from './kinds.ts';

const PARTITIONS = 2;
const dataDir = mkdtempSync(join(tmpdir(), 'gridfold-app-'));
afterAll(() => rmSync(dataDir, { recursive: true }));

/** An app whose tables are written once at the start, and then only when somebody waits for them. */
async function open(): Promise<App> {
  const { config } = loadConfig({ kinds: kindDefaults });
  const options = { localToken: 'local', log: pino({ level: 'silent' }) };
  const own = { dataDir, port: 0, sim: 0, partitions: PARTITIONS, sinkCommitIntervalMs: 60_000 };
  const app = await openApp({ ...config, ...own }, options);
  await app.live;
  return app;
}

async function send(app: App, minute: number): Promise<void> {
  const reading = {
    serial: 'PW-1',
    kind: 'powerwall',
    deviceTime: new Date(Date.UTC(2022, 6, 8, 9, minute)).toISOString(),
    fields: { powerW: 0, soc: 0.5, gridStatus: minute % 2 === 0 ? 'SystemGridConnected' : 'SystemIslandedActive' },
  };
  const [{ partition, next }] = await app.engine.produce('telemetry', [
    { key: 'PW-1', value: Buffer.from(JSON.stringify(reading)) },
  ]);
  await app.engine.waitFor('telemetry', partition, next, 10_000);
}

/** By partition, up to where the tables have the derived events. */
async function writtenEnds(): Promise<number[]> {
  const sink = await openDuckDbSink({ file: join(dataDir, 'olap.duckdb'), types: [], clock: systemClock });
  try {
    const ledger = await sink.ledger();
    return Array.from({ length: PARTITIONS }, (_, p) => ledger.find(({ partition }) => partition === p)?.next ?? 0);
  } finally {
    await sink.close();
  }
}

/** By partition, where the derived events end. */
async function committedEnds(): Promise<number[]> {
  const log = await openEmbeddedLog({ dir: join(dataDir, 'log'), partitions: PARTITIONS });
  try {
    return Array.from({ length: PARTITIONS }, (_, p) => log.extent(topics.derived, p).end);
  } finally {
    await log.close();
  }
}

test('the tables have everything that was committed when the app has closed', async () => {
  const app = await open();
  await send(app, 0);
  await app.engine.settled();
  for (let minute = 1; minute <= 5; minute++) await send(app, minute);
  expect(app.engine.status().sinks[0].lag).toBeGreaterThan(0);
  await app.close();
  expect(await writtenEnds()).toEqual(await committedEnds());
});
