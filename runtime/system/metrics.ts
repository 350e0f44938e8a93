import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type Clock, systemClock } from '../kernel/clock.ts';
import type { Engine } from './engine.ts';
import { type LogStatus, logGauges } from './log-metrics.ts';
import { type SchemaStatus, schemaGauges } from './schema-metrics.ts';

/** What became of the records of one batch, counted by the shard that folded it. */
export interface BatchCounts {
  readonly topic: string;
  readonly partition: number;
  readonly kind: string;
  readonly applied: number;
  readonly duplicate: number;
  readonly late: number;
  readonly invalid: number;
  readonly rejected: number;
  readonly bytes: number;
}

const outcomes = ['applied', 'duplicate', 'late', 'invalid', 'rejected'] as const;

/**
 * The metrics of one process (names and labels: docs/operate.md). Callers report once per batch, commit or
 * snapshot, never per record, and no label ever holds a serial. Durations are in seconds.
 */
export interface Metrics {
  readonly registry: Registry;
  /** One folded batch: records by outcome, bytes, and how long the fold took. */
  batch(counts: BatchCounts, applySeconds: number): void;
  /** Age of an event at apply: partition clock minus device time; one observation per batch and partition. */
  eventDelay(seconds: number): void;
  transitions(kind: string, from: string, to: string, count: number): void;
  /** Newest device time folded in a partition, epoch milliseconds. */
  watermark(actor: string, partition: number, deviceTimeMs: number): void;
  mailboxDepth(shard: number, batches: number): void;
  /** Assets of a kind whose block is in memory (`hot`) or only on disk (`cold`). */
  actors(kind: string, hot: number, cold: number): void;
  snapshot(actor: string, partition: number, seconds: number, bytes: number): void;
  restore(partition: number, seconds: number, replayedRecords: number): void;
  commit(actor: string, partition: number, seconds: number): void;
  commitFailed(reason: string): void;
  sinkCommit(sink: string, seconds: number, rowsByTable: Readonly<Record<string, number>>): void;
  /** Next offset that the sink's own ledger wants. */
  sinkOffset(sink: string, partition: number, next: number): void;
  /** What the auditor found in a sink; both stay 0 in a healthy system. */
  sinkAudit(sink: string, overlap: number, gap: number): void;
  /** A request that another process was asked to answer: `answered`, or why it was not. */
  forwarded(outcome: string): void;
  readonly live: LiveMetrics;
  machineVersion(kind: string, version: string): void;
  /** Gauges that are read from the engine when somebody scrapes: lag, watermark of sinks, snapshot age. */
  observe(engine: Pick<Engine, 'status'>): void;
  /** Gauges of the schemas that records are written with. */
  observeSchemas(status: () => SchemaStatus): void;
  /** Whether the brokers of the log answer, and what was moved; for a log that has brokers. */
  observeLog(status: () => LogStatus): void;
  /** The exposition text. */
  scrape(): Promise<string>;
}

/** Metrics of the live door. */
export interface LiveMetrics {
  connections(open: number): void;
  subscriptions(open: number): void;
  deltas(count: number): void;
  conflated(count: number): void;
  gap(why: string): void;
  deliveryDelay(seconds: number): void;
}

const fast = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const slow = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const delays = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 21600, 86400];

/** Makes the registry. `version` is the package's version, for `gridfold_build_info`. */
export function createMetrics(options: { version: string; clock?: Clock; processMetrics?: boolean }): Metrics {
  const registry = new Registry();
  const clock = options.clock ?? systemClock;
  if (options.processMetrics !== false) collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `gridfold_${name}`, help, labelNames, registers });
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `gridfold_${name}`, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: number[], labelNames: string[] = []) =>
    new Histogram({ name: `gridfold_${name}`, help, buckets, labelNames, registers });

  gauge('build_info', 'Always 1; the version is a label', ['version', 'node']).set(
    { version: options.version, node: process.version },
    1,
  );
  const records = counter('ingest_records_total', 'Records folded, by what became of them', [
    'topic',
    'partition',
    'kind',
    'outcome',
  ]);
  const bytes = counter('ingest_bytes_total', 'Bytes of the records folded', ['topic', 'partition']);
  const apply = histogram('apply_duration_seconds', 'Time to fold one batch', fast);
  const delay = histogram('event_delay_seconds', 'Partition clock minus device time at apply', delays);
  const transitions = counter('transitions_total', 'State transitions', ['kind', 'from', 'to']);
  const watermark = gauge('watermark_timestamp_seconds', 'Newest device time folded', ['actor', 'partition']);
  const mailbox = gauge('mailbox_depth', 'Batches waiting in a shard', ['shard']);
  const actors = gauge('actors', 'Assets by where their state is', ['kind', 'residency']);
  const snapshotDuration = histogram('snapshot_duration_seconds', 'Time to write one snapshot', slow);
  const snapshotBytes = counter('snapshot_bytes_total', 'Bytes written to snapshots', ['actor', 'partition']);
  const snapshotAt = gauge('snapshot_last_success_timestamp_seconds', 'When the newest snapshot was complete', [
    'actor',
    'partition',
  ]);
  const restore = histogram('restore_duration_seconds', 'From start of recovery to live', slow);
  const replayed = counter('replay_records_total', 'Records folded again during recovery');
  const commitAt = gauge('checkpoint_last_completed_timestamp_seconds', 'When the newest commit was durable', [
    'actor',
    'partition',
  ]);
  const commitDuration = histogram('checkpoint_duration_seconds', 'Time of one commit', fast);
  const commitFailures = counter('checkpoint_failures_total', 'Commits that failed', ['reason']);
  const sinkRows = counter('sink_rows_total', 'Rows written by a sink', ['sink', 'table']);
  const sinkDuration = histogram('sink_commit_duration_seconds', 'Time of one sink commit', slow, ['sink']);
  const sinkAt = gauge('sink_last_commit_timestamp_seconds', 'When the sink last committed', ['sink']);
  const sinkOffset = gauge('sink_committed_offset', 'Next offset that the ledger of the sink wants', [
    'sink',
    'partition',
  ]);
  const overlap = gauge('sink_offset_overlap_total', 'Derived events that stand in a sink more than once', ['sink']);
  const hole = gauge('sink_offset_gap_total', 'Derived events below the ledger that a sink lacks', ['sink']);
  const forwards = counter('forwarded_requests_total', 'Requests passed on to the process that has the partition', [
    'outcome',
  ]);
  const liveConnections = gauge('live_connections', 'Open live sockets');
  const liveSubscriptions = gauge('live_subscriptions', 'Open live subscriptions');
  const liveDeltas = counter('live_deltas_total', 'Deltas sent');
  const liveConflated = counter('live_conflated_total', 'Updates that were folded into a later delta');
  const liveGaps = counter('live_gaps_total', 'Announced gaps', ['why']);
  const liveDelay = histogram('live_delivery_delay_seconds', 'From hearing of a change to the send of its delta', fast);
  const machines = gauge('machine_version_info', 'Always 1; version of the machine of a kind', ['kind', 'version']);
  const seconds = () => clock.now() / 1000;
  const refreshes: (() => void)[] = [];

  return {
    registry,
    batch(counts, applySeconds) {
      const partition = String(counts.partition);
      for (const outcome of outcomes) {
        const count = counts[outcome];
        if (count > 0) records.inc({ topic: counts.topic, partition, kind: counts.kind, outcome }, count);
      }
      bytes.inc({ topic: counts.topic, partition }, counts.bytes);
      apply.observe(applySeconds);
    },
    eventDelay: (value) => delay.observe(Math.max(0, value)),
    transitions: (kind, from, to, count) => transitions.inc({ kind, from, to }, count),
    watermark: (actor, partition, deviceTimeMs) => watermark.set({ actor, partition }, deviceTimeMs / 1000),
    mailboxDepth: (shard, batches) => mailbox.set({ shard }, batches),
    actors(kind, hot, cold) {
      actors.set({ kind, residency: 'hot' }, hot);
      actors.set({ kind, residency: 'cold' }, cold);
    },
    snapshot(actor, partition, duration, written) {
      snapshotDuration.observe(duration);
      snapshotBytes.inc({ actor, partition }, written);
      snapshotAt.set({ actor, partition }, seconds());
    },
    restore(_partition, duration, replayedRecords) {
      restore.observe(duration);
      replayed.inc(replayedRecords);
    },
    commit(actor, partition, duration) {
      commitDuration.observe(duration);
      commitAt.set({ actor, partition }, seconds());
    },
    commitFailed: (reason) => commitFailures.inc({ reason }),
    sinkCommit(sink, duration, rowsByTable) {
      for (const [table, rows] of Object.entries(rowsByTable)) sinkRows.inc({ sink, table }, rows);
      sinkDuration.observe({ sink }, duration);
      sinkAt.set({ sink }, seconds());
    },
    sinkOffset: (sink, partition, next) => sinkOffset.set({ sink, partition }, next),
    sinkAudit(sink, overlapCount, gapCount) {
      overlap.set({ sink }, overlapCount);
      hole.set({ sink }, gapCount);
    },
    forwarded: (outcome) => forwards.inc({ outcome }),
    live: {
      connections: (open) => liveConnections.set(open),
      subscriptions: (open) => liveSubscriptions.set(open),
      deltas: (count) => liveDeltas.inc(count),
      conflated: (count) => liveConflated.inc(count),
      gap: (why) => liveGaps.inc({ why }),
      deliveryDelay: (value) => liveDelay.observe(value),
    },
    machineVersion: (kind, version) => machines.set({ kind, version }, 1),
    observe(engine) {
      refreshes.push(statusGauges(registry, engine));
    },
    observeSchemas(status) {
      refreshes.push(schemaGauges(registry, status));
    },
    observeLog(status) {
      refreshes.push(logGauges(registry, () => clock.now(), status));
    },
    scrape() {
      for (const refresh of refreshes) refresh();
      return registry.metrics();
    },
  };
}

/** Gauges read from the engine's status; returns the function that reads it, once per scrape. */
function statusGauges(registry: Registry, engine: Pick<Engine, 'status'>): () => void {
  const gauge = (name: string, help: string, labelNames: string[]) =>
    new Gauge({ name: `gridfold_${name}`, help, labelNames, registers: [registry] });
  const lag = gauge('consumer_lag_records', 'Records in the log that are not folded yet', ['topic', 'partition']);
  const assets = gauge('assets', 'Actors known to a partition', ['actor', 'partition']);
  const horizon = gauge('late_horizon_seconds', 'How late a reading may be and still be re-folded', [
    'actor',
    'partition',
  ]);
  const snapshotAge = gauge('snapshot_age_seconds', 'Age of the newest snapshot', ['actor', 'partition']);
  const sinkLag = gauge('sink_lag_events', 'Derived events a sink has not committed', ['sink']);
  return () => {
    const status = engine.status();
    for (const one of status.partitions) {
      const { actor } = one;
      const partition = String(one.partition);
      lag.set({ topic: one.topics.telemetry, partition }, one.lag.telemetry);
      lag.set({ topic: one.topics.lifecycle, partition }, one.lag.lifecycle);
      assets.set({ actor, partition }, one.assets);
      horizon.set({ actor, partition }, one.horizonMs / 1000);
      if (one.snapshotAgeMs !== null) snapshotAge.set({ actor, partition }, one.snapshotAgeMs / 1000);
    }
    for (const sink of status.sinks) sinkLag.set({ sink: sink.sink }, sink.lag);
  };
}
