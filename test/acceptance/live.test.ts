import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { deviceType } from '../../actors/device/index.ts';
import type { Clock } from '../../runtime/kernel/clock.ts';
import { topics } from '../../runtime/log/contract.ts';
import { openEmbeddedLog } from '../../runtime/log/embedded/embedded.ts';
import { RecordReader } from '../../runtime/shard/record-reader.ts';
import { currentOf, type Said } from '../../runtime/shard/testing/test-fold.ts';
import { Runtime } from '../../runtime/system/runtime.ts';
import { Random } from '../../sim/random.ts';
import { onRealData, realData } from '../../sim/recordings/data.testing.ts';
import { openRecording } from '../../sim/recordings/index.ts';
import type { SourceRecord, TelemetryValue } from '../../sim/record.ts';
import { writePart } from './parts.ts';

const HOUR = 3_600_000;
const LONG = process.env.GRIDFOLD_LONG === '1';
const base = mkdtempSync(join(tmpdir(), 'gridfold-live-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** Jumps: whoever waited for a moment in between is woken once, after the jump, as after a long pause of the process. */
class JumpingClock implements Clock {
  #now: number;
  #timers = new Set<{ readonly due: number; readonly run: () => void }>();

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { due: this.#now + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  to(now: number): void {
    this.#now = Math.max(this.#now, now);
    const due = [...this.#timers].filter((timer) => timer.due <= this.#now);
    for (const timer of due.sort((a, b) => a.due - b.due)) if (this.#timers.delete(timer)) timer.run();
  }
}

interface Delivery {
  readonly record: SourceRecord;
  readonly at: number;
}

/**
 * When each record arrives: at once, or at the end of an outage of its asset's connection. Outages last from minutes
 * (nobody notices) to half a day (stale, then offline).
 */
async function deliveries(format: string, file: string, seed: number): Promise<Delivery[]> {
  const random = new Random(seed);
  const outageEnd = new Map<string, number>();
  const delivered: Delivery[] = [];
  for await (const record of openRecording(format, file)) {
    if (record.topic === 'lifecycle') {
      delivered.push({ record, at: 0 });
      continue;
    }
    const at = Date.parse((record.value as TelemetryValue).deviceTime);
    if (at > (outageEnd.get(record.key) ?? 0) && random.chance(0.01)) {
      outageEnd.set(record.key, at + Math.ceil(random.between(HOUR / 12, 12 * HOUR)));
    }
    delivered.push({ record, at: Math.max(at, outageEnd.get(record.key) ?? 0) });
  }
  // Nobody is cut off at the end: what is open then is open in both lives.
  const end = Math.max(
    ...delivered
      .filter(({ record }) => record.topic === 'telemetry')
      .map(({ record }) => Date.parse((record.value as TelemetryValue).deviceTime)),
  );
  return delivered.map(({ record, at }) => ({ record, at: Math.min(at, end) }));
}

interface Life {
  readonly current: Map<string, unknown>;
  /** Silences that timers announced and that readings took back. */
  readonly takenBack: number;
}

async function fold(name: string, inOrder: readonly Delivery[], isLive: boolean): Promise<Life> {
  const dir = join(base, name);
  const clock = new JumpingClock(isLive ? inOrder[0].at : Date.UTC(2026, 0, 1));
  const log = await openEmbeddedLog({ dir: join(dir, 'log'), partitions: 2, clock });
  const errors: unknown[] = [];
  const runtime = new Runtime({
    types: [deviceType],
    log,
    clock,
    dataDir: dir,
    commitIntervalMs: 500,
    snapshotIntervalMs: 86_400_000,
    snapshotRecords: 1_000_000,
    horizonMs: 24 * HOUR,
    blocksPerKind: 16,
    maxResidentBytes: 1 << 28,
    windowBytesPerBlock: 4 << 20,
    silenceOutageMs: 30 * 24 * HOUR,
    silenceGraceMs: 0,
    retentionMs: 3_650 * 24 * HOUR,
    retentionBytes: null,
    observer: () => ({
      phase() {},
      committed() {},
      snapshot() {},
      folded() {},
      quarantined: (_p, _k, serial, error) => errors.push(serial, error),
      failed: (_p, error) => errors.push(error),
    }),
    message() {},
  });
  await runtime.start([]);
  const send = async (batch: readonly Delivery[]) => {
    for (const topic of ['lifecycle', 'telemetry'] as const) {
      const records = batch.filter(({ record }) => record.topic === topic);
      if (records.length === 0) continue;
      await runtime.produce(
        topic,
        records.map(({ record }) => ({ key: record.key, value: Buffer.from(JSON.stringify(record.value)) })),
      );
      await runtime.settled();
    }
  };
  const turnMs = isLive ? HOUR / 6 : 48 * HOUR;
  for (let from = 0; from < inOrder.length; ) {
    let until = from;
    while (until < inOrder.length && inOrder[until].at < inOrder[from].at + turnMs) until++;
    const batch = inOrder.slice(from, until);
    if (isLive) {
      // The time up to this turn passes in steps: timers come before the records that would have kept them quiet.
      while (clock.now() < batch[0].at) {
        clock.to(Math.min(batch[0].at, clock.now() + HOUR / 4));
        await runtime.settled();
      }
      clock.to(batch[batch.length - 1].at);
    }
    await send(batch);
    from = until;
  }
  const said: Said[] = [];
  for (let p = 0; p < log.partitions; p++) {
    await new RecordReader(log, topics.derived, p, 0).take(log.extent(topics.derived, p).end, ({ batch, from, to }) => {
      for (let i = from; i < to; i++)
        said.push(
          JSON.parse(Buffer.from(batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i])).toString()) as Said,
        );
    });
  }
  const current = currentOf(said);
  const silences = said
    .filter(({ data, op }) => op === 'upsert' && data.cause === 'silence')
    .map(({ type, key }) => `${type} ${key}`);
  const takenBack = new Set(silences.filter((id) => !current.has(id))).size;
  await runtime.stop();
  await log.close();
  expect(errors).toEqual([]);
  return { current, takenBack };
}

const text = (current: Map<string, unknown>) =>
  new Set([...current].map(([key, fact]) => `${key} ${JSON.stringify(fact)}`));

describe.each([
  ['solarma', realData('pv_inverters/solarma_13_inverters_10min_2019-09.csv'), ['2019-09-05', '2019-09-12']],
  ['seattle-5min', realData('powerwall_home/seattle_2022_5min.csv'), ['2022-07-07', '2022-07-10']],
] as const)('%s', (format, whole, stretch) => {
  test.skipIf(whole === null)(
    onRealData('live, with silences that timers see first, says in the end what a backfill says', whole),
    { timeout: 600_000 },
    async () => {
      let file = whole ?? '';
      if (!LONG) {
        file = join(base, `${format}.csv`);
        await writePart(whole ?? '', file, stretch);
      }
      const recorded = await deliveries(format, file, 20261124);
      const first = Math.min(...recorded.filter(({ at }) => at > 0).map(({ at }) => at));
      const arrived = recorded
        .map(({ record, at }) => ({ record, at: Math.max(at, first) }))
        .toSorted((a, b) => a.at - b.at);
      const live = await fold(`${format}-live`, arrived, true);
      const backfill = await fold(
        `${format}-backfill`,
        recorded.map(({ record }, i) => ({ record, at: i })),
        false,
      );
      process.stdout.write(
        `${format}: ${recorded.length} records, ${live.takenBack} silences announced and taken back, ${live.current.size} facts\n`,
      );
      expect(live.takenBack).toBeGreaterThan(5);
      expect(backfill.takenBack).toBe(0);
      const [a, b] = [text(live.current), text(backfill.current)];
      expect([...a].filter((fact) => !b.has(fact)).slice(0, 5)).toEqual([]);
      expect([...b].filter((fact) => !a.has(fact)).slice(0, 5)).toEqual([]);
    },
  );
});
