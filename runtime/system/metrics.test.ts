import { expect, test } from 'vitest';
import { ManualClock } from '../kernel/clock.ts';
import { createMetrics } from './metrics.ts';

test('a batch counts its records by outcome, and leaves out outcomes that did not happen', async () => {
  const metrics = createMetrics({ version: '1.2.3', processMetrics: false });
  const counts = {
    topic: 'telemetry',
    partition: 3,
    kind: 'powerwall',
    duplicate: 2,
    late: 0,
    invalid: 0,
    rejected: 0,
  };
  metrics.batch({ ...counts, applied: 100, bytes: 25_000 }, 0.002);
  metrics.batch({ ...counts, applied: 50, bytes: 12_000 }, 0.001);
  const text = await metrics.scrape();
  expect(text).toContain(
    'gridfold_ingest_records_total{topic="telemetry",partition="3",kind="powerwall",outcome="applied"} 150',
  );
  expect(text).toContain('outcome="duplicate"} 4');
  expect(text).not.toContain('outcome="late"');
  expect(text).toContain('gridfold_ingest_bytes_total{topic="telemetry",partition="3"} 37000');
  expect(text).toContain('gridfold_apply_duration_seconds_count 2');
  expect(text).toContain('gridfold_build_info{version="1.2.3"');
});

test('lag and sinks are read from the engine when scraped', async () => {
  const metrics = createMetrics({ version: '0', processMetrics: false, clock: new ManualClock(5_000) });
  let lag = 7;
  metrics.observe({
    status: () => ({
      ready: true,
      partitions: [
        {
          actor: 'device',
          partition: 0,
          phase: 'live',
          position: { telemetry: 1, lifecycle: 0, timers: 0 },
          lag: { telemetry: lag, lifecycle: 1 },
          topics: { telemetry: 'telemetry', lifecycle: 'lifecycle' },
          assets: 9,
          snapshotAgeMs: 2_500,
          horizonMs: 86_400_000,
        },
      ],
      sinks: [{ sink: 'duckdb', lag: 4, rows: 10, lastCommitAt: null, error: null }],
    }),
  });
  metrics.snapshot('device', 0, 0.5, 1000);
  expect(await metrics.scrape()).toContain('gridfold_consumer_lag_records{topic="telemetry",partition="0"} 7');
  lag = 0;
  const text = await metrics.scrape();
  expect(text).toContain('gridfold_consumer_lag_records{topic="telemetry",partition="0"} 0');
  expect(text).toContain('gridfold_sink_lag_events{sink="duckdb"} 4');
  expect(text).toContain('gridfold_late_horizon_seconds{actor="device",partition="0"} 86400');
  expect(text).toContain('gridfold_snapshot_last_success_timestamp_seconds{actor="device",partition="0"} 5');
});

test('gauges of schemas say whether the registry answers', async () => {
  const metrics = createMetrics({ version: '0', processMetrics: false });
  let state: 'untried' | 'up' | 'down' | 'denied' = 'untried';
  metrics.observeSchemas(() => ({ state, requests: 3, failures: 1, known: 7, unknown: 2, waiting: 1 }));
  const upWhen = async (now: typeof state) => {
    state = now;
    return (await metrics.scrape()).match(/^gridfold_schema_registry_up (\d)$/m)?.[1];
  };
  expect([await upWhen('untried'), await upWhen('up')]).toEqual(['1', '1']);
  expect([await upWhen('down'), await upWhen('denied')]).toEqual(['0', '0']);
  expect(await metrics.scrape()).toContain('gridfold_schemas_waiting 1');
});

test('no metric has the serial as a label, and every name carries the prefix', async () => {
  const metrics = createMetrics({ version: '0', processMetrics: false });
  for (const metric of await metrics.registry.getMetricsAsJSON()) {
    expect(metric.name).toMatch(/^gridfold_[a-z_]+$/);
    expect(JSON.stringify(metric)).not.toContain('serial');
  }
});
