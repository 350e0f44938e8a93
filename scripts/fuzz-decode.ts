/**
 * Feeds damaged and hostile records to every decoder: nothing may throw, every record must be accepted or get a reason,
 * fast path and document path must agree, and an accepted reading must be possible.
 *
 *   node scripts/fuzz-decode.ts [COUNT = 100000] [SEED = 1]
 */
import { Door } from '../codec/door.ts';
import { KINDS, referenceRecord } from '../codec/fixture.ts';
import { decodeLifecycle } from '../codec/lifecycle.ts';
import { REASONS } from '../codec/reasons.ts';
import { createTelemetryDecoder } from '../codec/telemetry.ts';
import { MAX_FIELDS, Reading } from '../runtime/shard/reading.ts';

const count = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? 1);
if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(seed)) {
  console.error('usage: fuzz-decode.ts [COUNT] [SEED], both whole numbers');
  process.exit(2);
}

const NOW = Date.parse('2022-07-08T12:00:00Z');

/** mulberry32 */
function makeRandom(start: number): () => number {
  let state = start | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const random = makeRandom(seed);
const below = (n: number) => Math.floor(random() * n);
const pick = <T>(list: readonly T[]): T => list[below(list.length)];

const LIFECYCLE =
  '{"id":"erp-88-17","serial":"PW-0001","kind":"powerwall","type":"installed","eventTime":"2022-01-03T15:00:00-08:00","data":{"siteId":"S-42","position":"battery-1"}}';

const ODD_VALUES = [
  'null',
  'true',
  '-256',
  '-0',
  '0',
  '1e999',
  '-1e-999',
  'NaN',
  'Infinity',
  '"NaN"',
  '""',
  '"x"',
  '[]',
  '{}',
  '[[[[[]]]]]',
  '01',
  '1.',
  '9007199254740993',
  '0.30000000000000004',
  '123456789012345678901234567890',
  '"\\u0000"',
  '"\\ud800"',
  '"ä"',
  '"2022-07-08T02:00:00-07:00"',
  '"0001-01-01T00:00:00Z"',
  '"2999-01-01T00:00:00Z"',
  '1e15',
  '[{"name":"a","startedAt":1657270000000}]',
  '["a","b"]',
  '{"__proto__":{"polluted":1}}',
];
const ODD_KEYS = [
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'powerW',
  'soc',
  'alerts',
  'firmware',
  'serial',
  '',
  'x'.repeat(300),
  '\\u0061',
  'ß',
];

type Attack = (text: string) => string | Uint8Array;

const nested = (depth: number) => `{"deep":${'['.repeat(depth)}${']'.repeat(depth)},`;

/** Replaces the value of a key that the record has. */
function swapValue(text: string): string {
  const values = [...text.matchAll(/:("(?:[^"\\]|\\.)*"|-?[0-9.]+)/g)];
  const hit = values.length > 0 ? pick(values) : undefined;
  return hit === undefined
    ? text
    : text.slice(0, hit.index + 1) + pick(ODD_VALUES) + text.slice(hit.index + hit[0].length);
}

function flipBytes(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  for (let n = 1 + below(4); n > 0; n--) bytes[below(bytes.length)] = below(256);
  return bytes;
}

const ATTACKS: Record<string, Attack> = {
  untouched: (text) => text,
  truncated: (text) => text.slice(0, below(text.length + 1)),
  'flipped bytes': flipBytes,
  'invalid UTF-8': (text) => {
    const at = below(text.length);
    return Buffer.concat([
      Buffer.from(text.slice(0, at)),
      Buffer.from(pick([[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0x80]])),
      Buffer.from(text.slice(at)),
    ]);
  },
  'odd value': swapValue,
  'odd values': (text) => swapValue(swapValue(swapValue(text))),
  'odd key in fields': (text) =>
    text.replace(/"(fields|data)":\{/, (all) => `${all}"${pick(ODD_KEYS)}":${pick(ODD_VALUES)},`),
  'odd key on top': (text) => text.replace('{', `{"${pick(ODD_KEYS)}":${pick(ODD_VALUES)},`),
  'key lost': (text) =>
    text.replace(pick(['"serial"', '"kind"', '"deviceTime"', '"fields"', '"type"', '"eventTime"', '"id"']), '"lost"'),
  'from the future': (text) => text.replace(/"20\d\d/, '"2035'),
  doubled: (text) => text + text,
  huge: (text) =>
    below(50) === 0 ? text.replace('{', `{"pad":"${'x'.repeat(60_000 + below(10_000))}",`) : swapValue(text),
  deep: (text) =>
    below(20) === 0
      ? text.replace('{', `{"deep":${'['.repeat(below(30_000))}`)
      : text.replace('{', nested(62 + below(4))),
  'many fields': (text) =>
    text.replace('"fields":{', `"fields":{${Array.from({ length: below(60) }, (_, i) => `"f${i}":${i},`).join('')}`),
  'no object': (text) => pick([`[${text}]`, '7', 'null', '{}', '"x"', ' \n', '{"a":{}}']),
  noise: () => Uint8Array.from({ length: below(300) }, () => below(256)),
  spaced: (text) => text.replace(/[:,{}]/g, (c) => pick([c, ` ${c}`, `${c}\n`, `${c}\t `])),
};

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
const names = Object.keys(ATTACKS);
for (let i = 0; i < count; i++) {
  const name = pick(names);
  const made = ATTACKS[name](below(5) === 0 ? LIFECYCLE : referenceRecord(below(1000), below(1000)));
  const bytes = typeof made === 'string' ? Buffer.from(made) : made;
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
process.exitCode = total === count ? 0 : 1;
