import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApp } from '../../cli/app.ts';
import { Client } from '../../cli/client.ts';
import { kindDefaults } from '../../cli/kinds.ts';
import { createLog } from '../../cli/log.ts';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { loadConfig } from '../../runtime/system/config.ts';
import { createFleet } from '../../sim/fleet/index.ts';
import { Random } from '../../sim/random.ts';
import type { SourceRecord } from '../../sim/record.ts';
import { Folder, startGridfold } from './gridfold.ts';

const SEED = Number(process.env.GRIDFOLD_TEST_SEED ?? 20261124);
const CASES = Number(process.env.GRIDFOLD_TEST_DAMAGES ?? 12);
const TIMEOUT = 600_000;
const base = mkdtempSync(join(tmpdir(), 'gridfold-damage-'));
const input = join(base, 'load.ndjson');
afterAll(() => rmSync(base, { recursive: true, force: true }));

beforeAll(() => {
  const start = Date.UTC(2026, 2, 1);
  const cadenceMs = 300_000;
  const fleet = createFleet({ seed: SEED, assets: 20, cadenceMs, startTime: start });
  const records: SourceRecord[] = [...fleet.lifecycleRecords()];
  for (let at = start; at < start + 12 * 3_600_000; at += cadenceMs) records.push(...fleet.tick(at));
  writeFileSync(input, records.map(({ value }) => `${JSON.stringify(value)}\n`).join(''));
});

interface Opened {
  /** Every asset as anybody sees it, and what the audit says of each partition. */
  readonly seen: string;
  readonly auditOk: boolean;
  readonly messages: readonly string[];
}

/** Starts the whole app on a folder; throws what keeps it from starting. */
async function look(dir: string): Promise<Opened> {
  const messages: string[] = [];
  const log = createLog('warn', { write: (text) => messages.push(text) });
  const { config } = loadConfig({ environment: {}, flags: { dataDir: dir, port: '0', sim: '0' }, kinds: kindDefaults });
  const app = await openApp(config, { localToken: 'damage', log });
  const client = new Client(app.url, 'damage');
  try {
    await app.live;
    await app.engine.settled();
    const views: unknown[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = app.engine.assets({ limit: 500, cursor });
      views.push(...page.items);
      if (page.cursor === null) break;
      cursor = page.cursor;
    }
    const audit = (await client.get('/v1/audit')).body as { ok: boolean };
    return { seen: JSON.stringify([views, audit]), auditOk: audit.ok, messages };
  } finally {
    client.close();
    await app.close();
  }
}

function files(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^(LOCK|LOG|LOG\.old)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => statSync(file).size > 0)
    .toSorted();
}

/** Cuts a file short or turns one to eight of its bits; says what it did. */
function damage(file: string, random: Random): string {
  const bytes = readFileSync(file);
  if (random.chance(0.4)) {
    const left = random.int(0, bytes.length - 1);
    writeFileSync(file, bytes.subarray(0, left));
    return `cut to ${left} of ${bytes.length}`;
  }
  const flips = random.int(1, 8);
  for (let i = 0; i < flips; i++) bytes[random.int(0, bytes.length - 1)] ^= 1 << random.int(0, 7);
  writeFileSync(file, bytes);
  return `${flips} bits turned in ${bytes.length}`;
}

/** Feeds a running instance and ends it by force as soon as everything is committed. */
async function feedAndKill(folder: Folder): Promise<void> {
  const child = startGridfold(['run', '--port', '0', '--json', '--no-sim', '--data-dir', folder.dir]);
  const ended = new Promise((resolve) => child.on('close', resolve));
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  await folder.json('ingest', input);
  child.kill('SIGKILL');
  await ended;
}

describe.each(['a clean stop', 'kill -9'])('files damaged after %s', (end) => {
  const folder = new Folder();
  let sound: Opened;

  beforeAll(async () => {
    if (end === 'kill -9') await feedAndKill(folder);
    else await folder.json('ingest', input);
    const copy = join(folder.base, 'sound');
    cpSync(folder.dir, copy, { recursive: true });
    sound = await look(copy);
    expect(sound.auditOk).toBe(true);
  }, TIMEOUT);
  afterAll(() => folder.remove());

  test(
    'the next start finds exactly the same, or refuses with a code',
    async () => {
      const outcomes: Record<string, number> = {};
      const wrong: string[] = [];
      for (let i = 0; i < CASES; i++) {
        const random = Random.of(SEED, end, i);
        const copy = join(folder.base, `case-${i}`);
        cpSync(folder.dir, copy, { recursive: true });
        const file = random.pick([...files(join(copy, 'log')), ...files(join(copy, 'state'))]);
        const what = `case ${i}: ${file.slice(copy.length + 1)} ${damage(file, random)}`;
        let outcome: string;
        try {
          const opened = await look(copy);
          // Not silent: the audit says that tables and log differ.
          outcome = opened.seen === sound.seen ? 'the same' : opened.auditOk ? 'WRONG' : 'told by the audit';
          if (outcome === 'WRONG')
            wrong.push(`${what}: another state, and the audit is content; ${opened.messages.join(' ')}`);
        } catch (error) {
          const code = error instanceof GridfoldError ? error.code : null;
          outcome = code === null ? 'UNCODED' : `refused: ${code}`;
          if (code === null) wrong.push(`${what}: ${(error as Error).stack}`);
        }
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        rmSync(copy, { recursive: true });
      }
      process.stdout.write(`after ${end}: ${JSON.stringify(outcomes)}\n`);
      expect(wrong).toEqual([]);
    },
    TIMEOUT,
  );
});
