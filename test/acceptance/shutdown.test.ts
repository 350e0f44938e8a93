import type { ChildProcess } from 'node:child_process';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { type AuditAnswer, Folder, type Outcome, outcomeOf, startGridfold } from './gridfold.ts';

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

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  readonly ended: Promise<Outcome>;
}

async function run({ dir }: Folder, ...args: readonly string[]): Promise<Running> {
  const child = startGridfold(['run', '--port', '0', '--json', '--data-dir', dir, ...args]);
  children.push(child);
  const ready = Promise.withResolvers<string>();
  let stdout = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
    if (stdout.includes('\n')) ready.resolve(stdout.split('\n')[0]);
  });
  const ended = outcomeOf(child);
  void ended.then(({ code, stderr }) => ready.reject(new Error(`ended with ${code}: ${stderr}`)));
  const { event, url } = JSON.parse(await ready.promise) as { event: string; url: string };
  expect(event).toBe('ready');
  return { child, url, ended };
}

const POLL = { timeout: 60_000, interval: 50 };

/** The metric's sum over all labels, once it is there and satisfies `is`. */
function metric(url: string, name: string, is: (value: number) => boolean): Promise<number> {
  return vi.waitFor(async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    const value = lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
    expect(lines.length, `${name} is exported`).toBeGreaterThan(0);
    expect(is(value), `${name} is ${value}`).toBe(true);
    return value;
  }, POLL);
}

/** Resolves when every partition has recovered. */
async function live(url: string): Promise<void> {
  await vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).ok).toBe(true), POLL);
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
