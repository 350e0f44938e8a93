/**
 * Feeds damaged and hostile records of every format to every decoder: nothing may throw, every record must be accepted or
 * get a reason, fast path and document path must agree, and an accepted reading must be possible. COUNT of each format.
 *
 *   node scripts/fuzz-decode.ts [COUNT = 100000] [SEED = 1]
 */
import { Door } from '../codec/door.ts';
import { KINDS } from '../codec/fixture.ts';
import { decodeLifecycle } from '../codec/lifecycle.ts';
import { REASONS } from '../codec/reasons.ts';
import { createTelemetryDecoder } from '../codec/telemetry.ts';
import { BINARY_FORMATS } from '../codec/schema/files.ts';
import { type FuzzResult, fuzzForeignAvro, fuzzLifecycle, fuzzTelemetry } from '../codec/testing/fuzz.ts';
import { MAX_FIELDS, Reading } from '../runtime/shard/reading.ts';
import { attackedRecords } from './fuzz-attacks.ts';

const count = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? 1);
if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(seed)) {
  console.error('usage: fuzz-decode.ts [COUNT] [SEED], both whole numbers');
  process.exit(2);
}

const NOW = Date.parse('2022-07-08T12:00:00Z');

const fast = createTelemetryDecoder(KINDS);
const slow = createTelemetryDecoder(KINDS);
const door = new Door(KINDS);
const kinds = new Set(KINDS.map((kind) => kind.name));
const [reading, reference] = [new Reading(), new Reading()];
const tally = new Map<string, number>();
const add = (what: string) => tally.set(what, (tally.get(what) ?? 0) + 1);

function fail(attack: string, bytes: Uint8Array, why: unknown): never {
  console.error(`record made by "${attack}" with seed ${seed}: ${why}\n${Buffer.from(bytes).toString('latin1')}`);
  process.exit(1);
}

/** What a reading says, as text; parts that mean nothing are left out. */
function written(r: Reading, serial: string): string {
  const values = Array.from(r.values, (value, i) => (((r.present & ~r.invalid) >>> i) & 1 ? value : null));
  return JSON.stringify([
    serial,
    r.kind,
    r.deviceTime,
    r.receiveTime,
    r.txid,
    r.seqNo,
    r.resend,
    r.present,
    r.invalid,
    r.extra,
    values,
  ]);
}

function impossible(r: Reading): string | null {
  if ((r.invalid & ~r.present) !== 0) return 'invalid, but not present';
  if (r.deviceTime > r.receiveTime + 300_000 || r.receiveTime > NOW + 300_000) return 'from the future';
  for (let i = 0; i < MAX_FIELDS; i++)
    if (((r.present & ~r.invalid) >>> i) & 1 && !Number.isFinite(r.values[i])) return 'not finite';
  return null;
}

function attackOnce(name: string, bytes: Uint8Array): void {
  const reason = fast.decode(bytes, 0, bytes.length, NOW, reading);
  const expected = slow.decodeSlowly(bytes, 0, bytes.length, NOW, reference);
  if (REASONS[reason] === undefined) fail(name, bytes, `unknown reason ${reason}`);
  if (reason !== expected)
    fail(name, bytes, `${REASONS[reason].code}, but the document path says ${REASONS[expected].code}`);
  if (reason === 0) {
    const wrong = impossible(reading);
    if (wrong !== null) fail(name, bytes, wrong);
    if (written(reading, fast.serial()) !== written(reference, slow.serial()))
      fail(name, bytes, 'the two paths differ');
  }
  const life = decodeLifecycle(bytes, 0, bytes.length, NOW, kinds);
  const answer = door.classify(bytes, 0, bytes.length, NOW);
  const accepted = reason === 0 || life.ok;
  if ('topic' in answer !== accepted) fail(name, bytes, `the door says ${JSON.stringify(answer)}`);
  add('topic' in answer ? `accepted as ${answer.topic}` : `refused: ${answer.reason}`);
}

const started = process.hrtime.bigint();
const records = attackedRecords(seed);
for (let i = 0; i < count; i++) {
  const { name, bytes } = records.next().value;
  try {
    attackOnce(name, bytes);
  } catch (error) {
    fail(name, bytes, error instanceof Error ? error.stack : error);
  }
}
if (JSON.stringify([...fast.problems]) !== JSON.stringify([...slow.problems]))
  fail('all', new Uint8Array(0), 'the problem counters differ');

const total = [...tally.values()].reduce((sum, n) => sum + n, 0);
console.log(
  `${total} of ${count} records classified, seed ${seed}, ${(Number(process.hrtime.bigint() - started) / 1e9).toFixed(1)} s, no crash`,
);
for (const [what, n] of [...tally].sort((a, b) => b[1] - a[1])) console.log(`${String(n).padStart(9)}  ${what}`);
console.log(`problems in accepted records: ${[...fast.problems].map(([code, n]) => `${code} ${n}`).join(', ')}`);
if (total !== count) process.exit(1);

/** Runs one of the binary fuzzers and prints what became of its inputs, and how much memory that took. */
function report(what: string, fuzz: () => FuzzResult): void {
  const from = process.hrtime.bigint();
  const { tally } = fuzz();
  const seconds = Number(process.hrtime.bigint() - from) / 1e9;
  const counts = [...tally].sort((a, b) => b[1] - a[1]).map(([reason, n]) => `${reason} ${n}`);
  const megabytes = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.log(
    `${what}: ${count} inputs, seed ${seed}, ${seconds.toFixed(1)} s, ${megabytes} MiB; ${counts.join(', ')}`,
  );
}

for (const format of BINARY_FORMATS) {
  report(`telemetry in ${format}`, () => fuzzTelemetry(format, count, seed));
  report(`lifecycle in ${format}`, () => fuzzLifecycle(format, count, seed));
}
report('telemetry in a foreign Avro schema', () => fuzzForeignAvro(count, seed));
