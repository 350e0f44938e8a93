import type { ChildProcess } from 'node:child_process';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { type AuditAnswer, Folder } from './gridfold.ts';
import { live, metric, type Running, run as start } from './running.ts';

const TIMEOUT = 120_000;
const folder = new Folder();
const killed = new Folder();
const children: ChildProcess[] = [];
afterAll(() => {
  folder.remove();
  killed.remove();
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** As `run`, and ended after the test whatever happens. */
async function run(folder: Folder, ...args: readonly string[]): Promise<Running> {
  const running = await start(folder, ...args);
  children.push(running.child);
  return running;
}

describe('Ctrl-C', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s ends a running fleet in good order, and the next start replays nothing',
    async (signal) => {
      const first = await run(folder, '--sim', '20');
      const folded = await metric(first.url, 'gridfold_ingest_records_total', (n) => n >= 120);
      const signalled = performance.now();
      first.child.kill(signal);
      const outcome = await first.ended;
      const tookMs = performance.now() - signalled;
      process.stdout.write(
        `${signal} after ${folded} records: ended after ${tookMs.toFixed(0)} ms with ${outcome.code}\n`,
      );
      expect(outcome).toMatchObject({ code: 0, signal: null });
      expect(outcome.stderr).not.toMatch(/not closed in good order|error/i);
      expect(tookMs).toBeLessThan(10_000);

      const second = await run(folder, '--no-sim');
      await live(second.url);
      expect(await metric(second.url, 'gridfold_replay_records_total', () => true)).toBe(0);
      second.child.kill('SIGINT');
      expect(await second.ended).toMatchObject({ code: 0 });
      expect((await folder.json<AuditAnswer>('audit')).ok).toBe(true);
    },
    TIMEOUT,
  );

  test(
    'after kill -9 the next start does replay, and loses nothing',
    async () => {
      const first = await run(killed, '--sim', '20', '--snapshot-interval-ms', '3600000');
      // Rows in a sink are committed in the log.
      await metric(first.url, 'gridfold_sink_rows_total', (n) => n > 0);
      first.child.kill('SIGKILL');
      expect(await first.ended).toMatchObject({ signal: 'SIGKILL' });
      const second = await run(killed, '--no-sim');
      await live(second.url);
      expect(await metric(second.url, 'gridfold_replay_records_total', () => true)).toBeGreaterThan(0);
      second.child.kill('SIGINT');
      expect(await second.ended).toMatchObject({ code: 0 });
      expect((await killed.json<AuditAnswer>('audit')).ok).toBe(true);
      killed.remove();
    },
    TIMEOUT,
  );
});
