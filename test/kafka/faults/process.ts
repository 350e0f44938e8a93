import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const cli = resolve(import.meta.dirname, '../../../cli/gridfold.ts');
/** Longest wait for a process that was asked to end in good order; it gives up itself before. */
const STOP_WITHIN_MS = 40_000;

/** A life that ended although nobody asked it to. */
export interface Surprise {
  readonly name: string;
  readonly code: number | null;
  readonly signal: string | null;
  readonly stderr: string;
}

interface Life {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  /** Address, or null when the life ended before it could serve. */
  readonly url: Promise<string | null>;
  wanted: boolean;
  stderr: string;
}

/** One `gridfold run` on a data folder of its own: killed, stopped, continued and started again, each time as a new process. */
export class GridfoldProcess {
  readonly name: string;
  readonly dir: string;
  readonly surprises: Surprise[] = [];
  readonly #settings: Readonly<Record<string, string>>;
  #life: Life | null = null;

  /** `dir` holds its data folder and its messages; `settings` are environment variables. */
  constructor(name: string, dir: string, settings: Readonly<Record<string, string>>) {
    this.name = name;
    this.dir = join(dir, name);
    this.#settings = settings;
    mkdirSync(dir, { recursive: true });
  }

  get isRunning(): boolean {
    return this.#life !== null;
  }

  /** `crashAt`: `step:count`, the crash point at which it kills itself. */
  start(crashAt = ''): void {
    if (this.#life !== null) return;
    const args = [cli, 'run', '--json', '--sim', '0', '--port', '0', '--data-dir', this.dir];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...this.#settings, GRIDFOLD_CRASH_AT: crashAt, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const url = Promise.withResolvers<string | null>();
    const life: Life = {
      child,
      ended: once(child, 'close').then(() => {}),
      url: url.promise,
      wanted: false,
      stderr: '',
    };
    this.#life = life;
    createInterface({ input: child.stdout! }).once('line', (line) => url.resolve(JSON.parse(line).url));
    const messages = createWriteStream(`${this.dir}.log`, { flags: 'a' });
    child.stderr!.on('data', (chunk: Buffer) => {
      messages.write(chunk);
      life.stderr = (life.stderr + chunk).slice(-4_000);
    });
    child.once('close', (code, signal) => {
      messages.end();
      url.resolve(null);
      this.#life = null;
      const isArmed = crashAt !== '' && signal === 'SIGKILL';
      if (!life.wanted && !isArmed) this.surprises.push({ name: this.name, code, signal, stderr: life.stderr });
    });
    killWithUs(child);
  }

  /** Resolves when it serves; false when it ended before. */
  async serves(): Promise<boolean> {
    return this.#life !== null && (await this.#life.url) !== null;
  }

  /** Resolves when it has ended, whoever ends it. */
  async ended(): Promise<void> {
    await this.#life?.ended;
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM; what does not end in good order within its time is a surprise. */
  async stop(): Promise<void> {
    const life = this.#life;
    if (life === null) return;
    const timer = setTimeout(() => {
      life.wanted = false;
      life.child.kill('SIGKILL');
    }, STOP_WITHIN_MS);
    await this.#end('SIGTERM');
    clearTimeout(timer);
  }

  /** Takes its processor away; it notices nothing. */
  freeze(): void {
    this.#life?.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#life?.child.kill('SIGCONT');
  }

  /** How often a commit or publication of it was refused so far because another process had claimed the partition. */
  get fences(): number {
    const said = existsSync(`${this.dir}.log`) ? readFileSync(`${this.dir}.log`, 'utf8') : '';
    return said.match(/"code":"log_fenced".*"msg":"partition failed"/g)?.length ?? 0;
  }

  /** Where it serves, and the token of its privileged doors; null while it does not. */
  async door(): Promise<{ url: string; token: string } | null> {
    const url = (await this.#life?.url) ?? null;
    const file = join(this.dir, 'instance.json');
    if (url === null || !existsSync(file)) return null;
    return { url, token: JSON.parse(readFileSync(file, 'utf8')).token };
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const life = this.#life;
    if (life === null) return;
    life.wanted = true;
    life.child.kill(signal);
    await life.ended;
  }
}

function killWithUs(child: ChildProcess): void {
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('close', () => process.off('exit', kill));
}
