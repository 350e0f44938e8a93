import { pino } from 'pino';
import { createMetrics } from '../../runtime/system/metrics.ts';
import type { DerivedEvent } from '../../runtime/shard/derived.ts';
import type { Engine, TableReader } from '../../runtime/system/engine.ts';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { type ServerConfig, type ServerOptions, startServer } from '../server.ts';
import type { Classify } from '../http/ingest.ts';
import { FakeEngine } from './fake-engine.ts';

/** Takes JSON objects with a serial; `fields` makes them telemetry, `type` lifecycle. */
export const classify: Classify = (line) => {
  try {
    const record = JSON.parse(Buffer.from(line).toString()) as Record<string, unknown>;
    if (typeof record.serial !== 'string') return { reason: 'missing_serial', detail: 'There is no serial.' };
    return { topic: 'fields' in record ? 'telemetry' : 'lifecycle', key: record.serial };
  } catch {
    return { reason: 'malformed_json' };
  }
};

export const transition: DerivedEvent = {
  id: 'telemetry-0-7-0',
  type: 'state_transition',
  serial: 'PW-1',
  kind: 'powerwall',
  siteId: null,
  eventTime: '2026-01-01T00:00:00.000Z',
  recordTime: '2026-01-01T00:00:01.000Z',
  key: 'PW-1/operation/1/0',
  version: 3,
  op: 'upsert',
  machine: 'powerwall@1',
  data: { region: 'operation', from: 'Standby', to: 'Charging', cause: 'power', leftAfterMs: 1000 },
};

export const tables: TableReader = {
  async query(sql) {
    if (!sql.startsWith('select')) throw new GridfoldError('sql_refused', 'fix-configuration', 'only SELECT');
    return {
      columns: [
        { name: 'n', type: 'BIGINT' },
        { name: 'n', type: 'BIGINT' },
      ],
      rows: [[1, 2]],
      truncated: false,
    };
  },
  events: async (serial, { type }) =>
    serial === 'PW-1' && (type ?? transition.type) === transition.type ? [transition] : [],
};

/** A server on a free port over a fake engine. */
export function testServer(config: Partial<ServerConfig> = {}, more: Partial<Omit<ServerOptions, 'engine'>> = {}) {
  return serverOver(new FakeEngine(), config, more);
}

/** A server on a free port over the engine. */
export async function serverOver<E extends Engine>(
  engine: E,
  config: Partial<ServerConfig> = {},
  more: Partial<Omit<ServerOptions, 'engine'>> = {},
) {
  const server = await startServer({
    engine,
    tables,
    config: { host: '127.0.0.1', port: 0, ...config },
    classify,
    log: pino({ level: 'silent' }),
    metrics: createMetrics({ version: '0', processMetrics: false }),
    machines: [
      {
        kind: 'powerwall',
        machine: 'powerwall@1',
        regions: [
          {
            name: 'operation',
            initial: 'Standby',
            states: ['Standby', 'Charging'],
            transitions: [{ from: 'Standby', to: 'Charging', event: 'charge' }],
          },
        ],
      },
    ],
    audit: async () => ({ ok: true, sinks: [] }),
    deadLetters: async () => ({
      items: [
        {
          partition: 0,
          offset: 1,
          at: '2026-01-01T00:00:00Z',
          reason: 'malformed_json',
          serial: null,
          source: null,
          bytes: 2,
          value: 'e30=',
        },
      ],
      next: null,
    }),
    ...more,
  });
  return { engine, ...server };
}
