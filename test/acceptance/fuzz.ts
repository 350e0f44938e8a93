import { join } from 'node:path';
import type { App } from '../../cli/app-contract.ts';
import { openApp } from '../../cli/app.ts';
import { Client } from '../../cli/client.ts';
import { Delivery } from '../../cli/deliver.ts';
import { kindDefaults } from '../../cli/kinds.ts';
import { readLines } from '../../cli/lines.ts';
import { createLog } from '../../cli/log.ts';
import { type OutgoingRecord, recordsOfLines } from '../../cli/records.ts';
import { systemClock } from '../../runtime/kernel/clock.ts';
import { murmur2 } from '../../runtime/kernel/hash.ts';
import { type Log, topics } from '../../runtime/log/contract.ts';
import { openEmbeddedLog } from '../../runtime/log/embedded/embedded.ts';
import { decodeDeadLetter } from '../../runtime/shard/outputs.ts';
import { RecordReader } from '../../runtime/shard/record-reader.ts';
import { loadConfig } from '../../runtime/system/config.ts';
import { EMBEDDED_PARTITIONS } from '../../runtime/system/options.ts';
import { attackedRecords } from '../../scripts/fuzz-attacks.ts';

/** Lines whatever their order: how many, how long, and a sum of their hashes. */
export interface Sum {
  lines: number;
  bytes: number;
  hash: number;
}

export interface FuzzReport {
  readonly seed: number;
  readonly sent: Sum;
  /** Found again: records of the input topics and dead letters of the door, byte by byte. */
  readonly found: Sum;
  readonly accepted: number;
  readonly refused: number;
  readonly applied: number;
  readonly duplicate: number;
  readonly late: number;
  readonly lifecycle: number;
  readonly assets: number;
  /** Dead letters by where they come from and why. */
  readonly letters: Readonly<Record<string, number>>;
  readonly auditOk: boolean;
  readonly errors: readonly string[];
}

/**
 * Sends `count` damaged and hostile lines through the whole app in this process (the client of the command line, HTTP,
 * log, fold, tables), then opens what it left behind and looks where every line went.
 */
export async function fuzzIngest(dir: string, count: number, seed: number): Promise<FuzzReport> {
  const errors: string[] = [];
  const log = createLog('error', { write: (text) => errors.push(text) });
  const { config } = loadConfig({ environment: {}, flags: { dataDir: dir, port: '0', sim: '0' }, kinds: kindDefaults });
  const app = await openApp(config, { localToken: 'fuzz', log });
  await app.live;
  const client = new Client(app.url, 'fuzz');
  const sent: Sum = { lines: 0, bytes: 0, hash: 0 };
  const lines = recordsOfLines(readLines(attackedBytes(count, seed)));
  const delivered = await new Delivery(client).run(summed(lines, sent));
  await app.engine.settled();
  const counts = await countAssets(app);
  const audit = (await client.get('/v1/audit')).body as { ok: boolean };
  client.close();
  await app.close();

  const found: Sum = { lines: 0, bytes: 0, hash: 0 };
  const letters: Record<string, number> = {};
  const left = await openEmbeddedLog({
    dir: join(dir, 'log'),
    partitions: config.partitions ?? EMBEDDED_PARTITIONS,
    clock: systemClock,
  });
  for (const topic of [topics.telemetry, topics.lifecycle])
    await everyRecord(left, topic, (value) => add(found, value));
  await everyRecord(left, topics.deadLetters, (record) => {
    const { topic, reason, value } = decodeDeadLetter(record);
    letters[`${topic} ${reason}`] = (letters[`${topic} ${reason}`] ?? 0) + 1;
    if (topic === 'door') add(found, value);
  });
  await left.close();
  const { accepted, refused } = delivered;
  return { seed, sent, found, accepted, refused, ...counts, letters, auditOk: audit.ok, errors };
}

/** What does not add up; empty when every line is accounted for. */
export function unaccounted(report: FuzzReport): string[] {
  const { sent, found, accepted, refused, applied, duplicate, lifecycle, letters } = report;
  const wrong: string[] = [];
  const equal = (what: string, a: number, b: number) => a === b || wrong.push(`${what}: ${a} and ${b}`);
  const of = (isDoor: boolean) =>
    Object.entries(letters).reduce((sum, [id, n]) => sum + (id.startsWith('door ') === isDoor ? n : 0), 0);
  equal('accepted + refused = sent', accepted + refused, sent.lines);
  equal('dead letters of the door = refused', of(true), refused);
  equal(
    'applied + duplicates + lifecycle + dead letters of the fold = accepted',
    applied + duplicate + lifecycle + of(false),
    accepted,
  );
  equal('bytes in the log = bytes sent', found.bytes, sent.bytes);
  equal('lines in the log = lines sent', found.lines, sent.lines);
  equal('hashes of the lines', found.hash, sent.hash);
  for (const id of Object.keys(letters)) if (/fold_failed|quarantined/.test(id)) wrong.push(`${letters[id]} × ${id}`);
  if (!report.auditOk) wrong.push('the audit fails');
  if (report.errors.length > 0) wrong.push(`${report.errors.length} errors logged, first: ${report.errors[0]}`);
  return wrong;
}

/** The lines as a file would hold them, in chunks. */
async function* attackedBytes(count: number, seed: number): AsyncGenerator<Uint8Array> {
  const records = attackedRecords(seed);
  const end = Buffer.from('\n');
  let parts: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    parts.push(records.next().value.bytes, end);
    if (parts.length < 1_000) continue;
    yield Buffer.concat(parts);
    parts = [];
  }
  yield Buffer.concat(parts);
}

async function* summed(records: AsyncIterable<OutgoingRecord>, sum: Sum): AsyncGenerator<OutgoingRecord> {
  for await (const record of records) {
    add(sum, trimmed(record.bytes));
    yield record;
  }
}

function add(sum: Sum, bytes: Uint8Array): void {
  sum.lines += 1;
  sum.bytes += bytes.length;
  sum.hash = (sum.hash + (murmur2(bytes) >>> 0)) % 2 ** 48;
}

/** White space around a line is not part of the record. */
function trimmed(bytes: Uint8Array): Uint8Array {
  const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
  let [from, to] = [0, bytes.length];
  while (from < to && isSpace(bytes[from])) from++;
  while (to > from && isSpace(bytes[to - 1])) to--;
  return bytes.subarray(from, to);
}

async function everyRecord(log: Log, topic: string, use: (value: Uint8Array) => void): Promise<void> {
  for (let p = 0; p < log.partitions; p++) {
    await new RecordReader(log, topic, p, 0).take(log.extent(topic, p).end, ({ batch, from, to }) => {
      for (let i = from; i < to; i++) use(batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i]));
    });
  }
}

async function countAssets({ engine }: App) {
  const sum = { applied: 0, duplicate: 0, late: 0, lifecycle: 0, assets: 0 };
  let cursor: string | null = null;
  do {
    const page = engine.assets({ limit: 500, cursor: cursor ?? undefined });
    for (const { serial, counts } of page.items) {
      sum.assets += 1;
      sum.applied += counts.applied;
      sum.duplicate += counts.duplicate;
      sum.late += counts.late;
      sum.lifecycle += engine.lifecycle(serial)?.length ?? 0;
    }
    cursor = page.cursor;
  } while (cursor !== null);
  return sum;
}
