import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One call of the real command line. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

const ENTRY = new URL('../../cli/gridfold.ts', import.meta.url).pathname;

/** Starts `gridfold ARGS` as a process of its own, untouched by the environment of the tests. */
export function startGridfold(args: readonly string[], environment: Record<string, string> = {}): ChildProcess {
  const env: Record<string, string | undefined> = { ...process.env, NODE_OPTIONS: '', ...environment };
  for (const name of Object.keys(env)) {
    if (name.startsWith('VITEST') || (name.startsWith('GRIDFOLD_') && !(name in environment))) delete env[name];
  }
  return spawn(process.execPath, [ENTRY, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** Runs `gridfold ARGS` to its end. */
export function gridfold(args: readonly string[], stdin: string | Uint8Array = ''): Promise<Outcome> {
  return outcomeOf(startGridfold(args), stdin);
}

/** What a started call prints from now on, and how it ends. */
export function outcomeOf(child: ChildProcess, stdin: string | Uint8Array = ''): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  child.stdin?.on('error', () => {});
  child.stdin?.end(stdin);
  return new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

export type Row = Readonly<Record<string, string | number | boolean | null>>;

/** A data folder and the commands on it. */
export class Folder {
  readonly base = mkdtempSync(join(tmpdir(), 'gridfold-acceptance-'));
  readonly dir = join(this.base, 'data');
  /** Given to every command, for instance `--config FILE`. */
  flags: readonly string[] = [];

  /** Runs a command that must succeed; answers its JSON. */
  async json<T>(command: string, ...args: readonly string[]): Promise<T> {
    const outcome = await gridfold([command, ...args, '--data-dir', this.dir, ...this.flags, '--json']);
    if (outcome.code !== 0) throw new Error(`gridfold ${command} ended with ${outcome.code}: ${outcome.stderr}`);
    return JSON.parse(outcome.stdout) as T;
  }

  sql(statement: string): Promise<Row[]> {
    return this.json('sql', statement, '--limit', '100000');
  }

  remove(): void {
    rmSync(this.base, { recursive: true, force: true });
  }
}

export interface AuditAnswer {
  readonly ok: boolean;
  readonly sinks: readonly {
    readonly doubled: number;
    readonly missing: number;
    readonly next: number;
    readonly logEnd: number;
    readonly rows: number;
  }[];
}

export interface FeedAnswer {
  readonly records: number;
  readonly accepted: number;
  readonly refused: number;
  readonly reasons: Readonly<Record<string, number>>;
  readonly settled: boolean;
}
