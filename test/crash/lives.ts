import { spawn } from 'node:child_process';

export interface Life {
  /** Ended by itself with everything folded, committed and closed. */
  readonly done: boolean;
  /** Recovered and went live before it ended. */
  readonly live: boolean;
  readonly signal: string | null;
  readonly code: number | null;
  readonly stderr: string;
}

export interface LifeOptions {
  readonly dir: string;
  readonly load: string;
  readonly batch?: number;
  readonly pauseMs?: number;
  /** `step:count`: the crash point at which the process kills itself. */
  readonly crashAt?: string;
  /** SIGKILL this long after the start, or after the subject went live. */
  readonly killAfterMs?: number;
  readonly killAfterLiveMs?: number;
}

/** Runs the subject until it is done, kills itself, or is killed. */
export function live(options: LifeOptions): Promise<Life> {
  const { dir, load, batch = 40, pauseMs = 2, crashAt, killAfterMs, killAfterLiveMs } = options;
  const subject = new URL('./subject.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [subject, dir, load, String(batch), String(pauseMs)], {
    env: { ...process.env, GRIDFOLD_CRASH_AT: crashAt ?? '', NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const timers: NodeJS.Timeout[] = [];
  const killIn = (delayMs: number) => timers.push(setTimeout(() => child.kill('SIGKILL'), delayMs));
  child.stdout.on('data', (chunk) => {
    if (killAfterLiveMs !== undefined && !stdout.includes('live')) killIn(killAfterLiveMs);
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-4000);
  });
  if (killAfterMs !== undefined) killIn(killAfterMs);
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      for (const timer of timers) clearTimeout(timer);
      resolve({ done: stdout.includes('done'), live: stdout.includes('live'), signal, code, stderr });
    });
  });
}

/** What ended a life by neither SIGKILL nor being done is a failure of the subject. */
export function assertKilledOrDone(life: Life): void {
  if (life.done || life.signal === 'SIGKILL') return;
  throw new Error(`the subject ended with code ${life.code}: ${life.stderr}`);
}
