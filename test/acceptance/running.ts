import type { ChildProcess } from 'node:child_process';
import { expect, vi } from 'vitest';
import { type Folder, type Outcome, outcomeOf, startGridfold } from './gridfold.ts';

/** A `gridfold run` that can serve. */
export interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  readonly ended: Promise<Outcome>;
}

/** Starts `gridfold run` on the folder; rejects with what it said when it ends before it can serve. */
export async function run(folder: Folder, ...args: readonly string[]): Promise<Running> {
  const flags = ['--port', '0', '--json', '--data-dir', folder.dir, ...folder.flags];
  const child = startGridfold(['run', ...flags, ...args]);
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

export const POLL = { timeout: 60_000, interval: 50 };

/** The metric's sum over all labels, once it is there and satisfies `is`. */
export function metric(url: string, name: string, is: (value: number) => boolean): Promise<number> {
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
export async function live(url: string): Promise<void> {
  await vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).ok).toBe(true), POLL);
}
