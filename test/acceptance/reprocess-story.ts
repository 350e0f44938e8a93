import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Folder, gridfold, outcomeOf, startGridfold } from './gridfold.ts';
import { live, run } from './running.ts';

const BEGAN = Date.UTC(2026, 0, 1);
const CADENCE_MS = 300_000;

interface Difference {
  readonly table: string;
  readonly common: number;
  readonly onlyLive: number;
  readonly onlyOther: number;
  readonly changed: number;
}

/** Two days of eight batteries at three sites, from step `from` of five minutes on; some are silent for a while. */
export function history(from: number, steps: number): string[] {
  const lines: string[] = [];
  for (let asset = 0; asset < 8 && from === 0; asset++) {
    const eventTime = new Date(BEGAN - 3_600_000).toISOString();
    const data = { siteId: `S-${asset % 3}`, position: 'battery-1' };
    lines.push(
      JSON.stringify({
        id: `erp-${asset}`,
        serial: `PW-${asset}`,
        kind: 'powerwall',
        type: 'installed',
        eventTime,
        data,
      }),
    );
  }
  for (let step = from; step < from + steps; step++) {
    for (let asset = 0; asset < 8; asset++) {
      if ((asset + step) % 97 < 5) continue;
      const deviceTime = new Date(BEGAN + step * CADENCE_MS).toISOString();
      const fields = { powerW: Math.round(3_000 * Math.sin(step / 20 + asset)), soc: 0.5 };
      lines.push(JSON.stringify({ serial: `PW-${asset}`, kind: 'powerwall', deviceTime, fields }));
    }
  }
  return lines;
}

/**
 * A history is folded once more: the process is killed three times on the way, the same command goes on, and the facts
 * are those of the live fold. A running instance then shows the set, feeds it, and shows the live tables again.
 */
export async function reprocessStory(folder: Folder, steps = 576): Promise<void> {
  const file = join(folder.base, 'history.ndjson');
  const give = async (lines: readonly string[]) => {
    writeFileSync(file, `${lines.join('\n')}\n`);
    await folder.json('ingest', file);
  };
  const compare = async () => alike(await folder.json<Difference[]>('reprocess', 'compare', 'v2'));
  const count = async (table: string) => (await folder.sql(`SELECT count(*) AS n FROM ${table}`))[0].n as number;
  await give(history(0, steps));

  const args = ['reprocess', '--from', 'start', '--into', 'v2', '--data-dir', folder.dir, ...folder.flags, '--json'];
  for (const step of ['commit.2:2', 'commit.3:3', 'sink.3:2']) {
    const killed = await outcomeOf(startGridfold(args, { GRIDFOLD_CRASH_AT: step }));
    expect(killed.signal, `${step}: ${killed.stderr}`).toBe('SIGKILL');
  }
  const done = await gridfold(args);
  expect(done.code, done.stderr).toBe(0);
  const report = JSON.parse(done.stdout) as { set: { folded: number; total: number }; tables: Difference[] };
  expect(report.set.folded).toBe(report.set.total);
  alike(report.tables);

  const instance = await run(folder, '--no-sim');
  try {
    await live(instance.url);
    await folder.json('reprocess', 'cut-over', 'v2');
    const before = await count('energy_intervals_current');
    await give(history(steps, 24));
    await compare();
    const { sinks } = await folder.json<{ sinks: { sink: string }[] }>('audit');
    expect(new Set(sinks.map(({ sink }) => sink))).toEqual(new Set(['duckdb', 'duckdb-v2']));
    const after = await count('energy_intervals_current');
    expect(after).toBeGreaterThan(before);
    const ids = `SELECT count(*) - count(DISTINCT event_id) AS doubled FROM v2.energy_intervals`;
    expect(await folder.sql(ids)).toEqual([{ doubled: 0 }]);
    await folder.json('reprocess', 'cut-over', 'v2', '--back');
    expect(await count('energy_intervals_current')).toBe(after);
    await folder.json('reprocess', 'drop', 'v2');
    expect(await folder.json('reprocess', 'list')).toEqual([]);
  } finally {
    instance.child.kill('SIGTERM');
    await instance.ended;
  }
}

function alike(tables: readonly Difference[]): void {
  expect(tables.filter(({ onlyLive, onlyOther, changed }) => onlyLive + onlyOther + changed > 0)).toEqual([]);
  expect(tables.reduce((sum, { common }) => sum + common, 0)).toBeGreaterThan(1_000);
}
