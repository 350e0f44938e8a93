import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DeadLetterView } from '../../api/http/operations.ts';
import type { AssetView } from '../../runtime/system/engine.ts';
import { fuzzIngest, unaccounted } from './fuzz.ts';
import { type AuditAnswer, type FeedAnswer, Folder, gridfold } from './gridfold.ts';

const reading = (minute: number, rest = '') =>
  `{"serial":"PW-1","kind":"powerwall","deviceTime":"2022-07-08T10:${String(minute).padStart(2, '0')}:00Z","txid":"t${minute}","fields":{"powerW":1000}${rest}}`;
const lifecycle = (id: string, type: string, data = '{}') =>
  `{"id":"${id}","serial":"PW-1","kind":"powerwall","type":"${type}","eventTime":"2022-07-01T00:00:00Z","data":${data}}`;

/** Line and the reason it must be refused for; null: it is a record. */
const LINES: readonly (readonly [line: string | Uint8Array, reason: string | null])[] = [
  [reading(0), null],
  ['{"serial":"PW-1","kind":"powerwall","deviceTi', 'malformed_json'],
  ['not JSON at all', 'malformed_json'],
  ['[1,2,3]', 'not_an_object'],
  ['7', 'not_an_object'],
  [Buffer.from('{"serial":"PW-\xff","kind":"powerwall"}', 'latin1'), 'invalid_utf8'],
  [`${'{"a":'.repeat(100)}1${'}'.repeat(100)}`, 'too_deep'],
  [reading(1, `,"pad":"${'x'.repeat(70_000)}"`), 'too_large'],
  [reading(2).replace('"serial":"PW-1",', ''), 'missing_serial'],
  [reading(2).replace('PW-1', ''), 'bad_serial'],
  [reading(2).replace('"kind":"powerwall",', ''), 'missing_kind'],
  [reading(2).replace('powerwall', 'toaster'), 'unknown_kind'],
  [reading(2).replace(/"deviceTime":"[^"]*",/, ''), 'missing_device_time'],
  [reading(2).replace(/"deviceTime":"[^"]*"/, '"deviceTime":"2022-07-08 10:02"'), 'bad_device_time'],
  [reading(2).replace('2022-07-08', '2090-07-08'), 'future_device_time'],
  [reading(2).replace('"fields":{"powerW":1000}', '"fields":[1]'), 'bad_fields'],
  [reading(2).replace('"t2"', '{}'), 'bad_txid'],
  [reading(3).replace('1000', '"NaN"'), null],
  [reading(4).replace('"powerW":1000', '"__proto__":{"polluted":true},"constructor":1,"powerW":1'), null],
  [reading(5).replace('1000', '1e999'), null],
  [lifecycle('l-1', 'shipped'), null],
  [lifecycle('l-2', 'teleported'), 'unknown_lifecycle_type'],
  [lifecycle('', 'shipped'), 'bad_id'],
  [lifecycle('l-3', 'installed'), 'bad_lifecycle_data'],
  [lifecycle('l-4', 'shipped').replace('2022-07-01', '2022-13-01'), 'bad_event_time'],
  [reading(6).replace('powerwall', 'inverter'), 'kind_mismatch'],
  [reading(0).replace('2022-07-08T10:00', '2022-07-01T10:00').replace('t0', 'old'), 'beyond_horizon'],
  [reading(0), null],
];
/** Refused by the fold, not by the door: only it knows the asset. */
const BY_FOLD = new Set(['kind_mismatch', 'beyond_horizon']);

describe('a file with all sorts of bad lines', () => {
  const folder = new Folder();
  let fed: FeedAnswer;
  let letters: DeadLetterView[];

  beforeAll(async () => {
    const file = join(folder.base, 'mixed.ndjson.gz');
    const lines = LINES.flatMap(([line]) => [Buffer.from(line as string), Buffer.from('\r\n\n')]);
    writeFileSync(file, gzipSync(Buffer.concat(lines)));
    fed = await folder.json<FeedAnswer>('ingest', file);
    letters = await folder.json<DeadLetterView[]>('dead-letters');
  });
  afterAll(() => folder.remove());

  const refused = LINES.filter(([, reason]) => reason !== null);
  const atDoor = refused.filter(([, reason]) => !BY_FOLD.has(reason as string));

  test('every line is counted, every refused one with its reason', () => {
    expect(fed).toMatchObject({
      records: LINES.length,
      refused: atDoor.length,
      accepted: LINES.length - atDoor.length,
    });
    const reasons: Record<string, number> = {};
    for (const [, reason] of atDoor) reasons[reason as string] = (reasons[reason as string] ?? 0) + 1;
    expect(fed.reasons).toEqual(reasons);
  });

  test('every refused line is a dead letter with its original bytes', () => {
    const key = (reason: unknown, bytes: Uint8Array) => `${reason} ${Buffer.from(bytes).toString('base64')}`;
    const expected = refused.map(([line, reason]) => key(reason, Buffer.from(line as string)));
    expect(letters.map(({ reason, value }) => key(reason, Buffer.from(value, 'base64'))).toSorted()).toEqual(
      expected.toSorted(),
    );
    for (const { reason, source } of letters) expect(source === null).toBe(!BY_FOLD.has(reason));
  });

  test('what is left is applied, nothing is polluted, nothing stops', async () => {
    const view = await folder.json<AssetView>('state', 'PW-1');
    expect(view.counts).toMatchObject({ applied: 4, duplicate: 1 });
    expect((await folder.json<AuditAnswer>('audit')).ok).toBe(true);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('bad options, files and statements are named, with their exit codes', async () => {
    const calls: readonly (readonly [args: readonly string[], code: number, message: RegExp])[] = [
      [['ingest', join(folder.base, 'absent.ndjson'), '--data-dir', folder.dir], 2, /absent\.ndjson/],
      [['replay', 'seattle', 'x.csv', '--data-dir', folder.dir], 2, /seattle-5min/],
      [['sql', 'drop table faults', '--data-dir', folder.dir], 1, /sql_refused/],
      [['run', '--partitions', '0', '--comit-interval-ms', '5'], 2, /commit-interval-ms/],
      [['audit', '--data-dir', join(folder.base, 'nowhere')], 1, /no_data/],
    ];
    for (const [args, code, message] of calls) {
      const outcome = await gridfold(args);
      expect([args[0], outcome.code, outcome.stderr]).toEqual([args[0], code, expect.stringMatching(message)]);
    }
  });
});

test('50,000 damaged and hostile lines through the whole app: each is accounted for', {
  timeout: 240_000,
}, async () => {
  const folder = new Folder();
  const seed = Number(process.env.GRIDFOLD_TEST_SEED ?? 20261124);
  const report = await fuzzIngest(folder.dir, 50_000, seed);
  const { letters, ...figures } = report;
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  expect(unaccounted(report)).toEqual([]);
  expect(report.applied).toBeGreaterThan(10_000);
  expect(Object.keys(letters).length).toBeGreaterThan(15);
  folder.remove();
});
