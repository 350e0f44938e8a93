import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { formatData } from './format.ts';
import { requireJava } from './java.ts';
import { kafkaJars } from './jars.ts';
import { log4j2, STARTED } from './logging.ts';
import { serverProperties, type ServerOptions } from './server-properties.ts';

const STOP_WITHIN_MS = 10_000;
const LIGHT_COMPILER = '-XX:TieredStopAtLevel=1';

/** How a broker is run; what it listens on stands in {@link ServerOptions}. */
export interface BrokerOptions extends Omit<ServerOptions, 'dataDir'> {
  /** Holds data, settings and the server's log. */
  readonly dir: string;
  /** Java heap in MB. */
  readonly heapMb: number;
  /** Compiles only in the light way: a start costs 40 % less CPU time, a lasting load costs more. Default false. */
  readonly quickStart?: boolean;
}

/** One Kafka broker, alone or a node of a cluster, in a process of its own, which ends with this one at the latest. Can be started again on its data. */
export class Broker {
  readonly options: BrokerOptions;
  #server: ChildProcess | null = null;
  #guard: ChildProcess | null = null;

  constructor(options: BrokerOptions) {
    this.options = options;
  }

  /** What clients are given: host and port. */
  get bootstrap(): string {
    return `127.0.0.1:${this.options.port}`;
  }

  /** Process id, or null while it does not run. */
  get pid(): number | null {
    return this.#server?.pid ?? null;
  }

  /**
   * Resolves when the broker serves requests. A node of a cluster does so only once most of the others run too.
   *
   * @throws GridfoldError `java-missing`, `kafka-jars-missing`, or `broker-failed` with the end of the server's log.
   */
  async start(): Promise<void> {
    if (this.#server !== null) throw new Error('the broker runs already');
    const java = requireJava();
    const jvm = this.#prepare(kafkaJars());
    const properties = this.#file('server.properties');
    if (!existsSync(join(this.#dataDir, 'meta.properties'))) {
      const { secured, cluster } = this.options;
      await formatData([java, LIGHT_COMPILER, ...jvm], properties, secured, cluster?.clusterId).catch((error) => {
        throw failed('The data folder could not be formatted', `${error.stdout}${error.stderr}`);
      });
    }
    if (this.options.quickStart) jvm.unshift(LIGHT_COMPILER);
    const server = spawn(java, [...jvm, 'kafka.Kafka', properties], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#server = server;
    server.once('exit', () => {
      this.#guard?.kill('SIGKILL');
      this.#server = this.#guard = null;
    });
    this.#guard = killWithUs(server);
    await this.#ready(server);
  }

  /** Ends the broker in good order. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    const timer = setTimeout(() => server.kill('SIGKILL'), STOP_WITHIN_MS);
    await this.#end('SIGTERM');
    clearTimeout(timer);
  }

  /** Ends the broker as a power cut would end its process. */
  async kill(): Promise<void> {
    if (this.#server !== null) await this.#end('SIGKILL');
  }

  /** Takes its processor away: connections stay, nothing is answered. */
  freeze(): void {
    this.#server?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#server?.kill('SIGCONT');
  }

  /** Resolves when the process has ended, for whatever reason. */
  async ended(): Promise<void> {
    if (this.#server !== null) await once(this.#server, 'exit');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const ended = this.ended();
    this.#server?.kill(signal);
    await ended;
  }

  get #dataDir(): string {
    return this.#file('data');
  }

  #file(name: string): string {
    return join(this.options.dir, name);
  }

  /** Writes the settings; answers what Java is given before the name of the class. */
  #prepare(jars: string): string[] {
    mkdirSync(this.#dataDir, { recursive: true });
    writeFileSync(this.#file('server.properties'), serverProperties({ ...this.options, dataDir: this.#dataDir }));
    writeFileSync(this.#file('log4j2.xml'), log4j2(this.#file('server.log')));
    return [
      `-Xmx${this.options.heapMb}m`,
      '-XX:+UseSerialGC',
      `-Dlog4j2.configurationFile=${this.#file('log4j2.xml')}`,
      ...['-cp', join(jars, '*')],
    ];
  }

  /** The server says on its output that it has started; everything else it has to say stands in its log. */
  async #ready(server: ChildProcess): Promise<void> {
    let stderr = '';
    server.stderr!.on('data', (chunk) => (stderr = (stderr + chunk).slice(-4000)));
    const lines = createInterface({ input: server.stdout! });
    const isStarted = await new Promise<boolean>((resolve) => {
      lines.on('line', (line) => line.includes(STARTED) && resolve(true));
      server.once('exit', () => resolve(false));
    });
    if (isStarted) return;
    const log = existsSync(this.#file('server.log')) ? readFileSync(this.#file('server.log'), 'utf8') : '';
    throw failed('The broker ended before it was ready', log.slice(-4000) + stderr);
  }
}

/** A shell that kills the server when its own input ends: also after a SIGKILL of this process no broker is left. */
function killWithUs(server: ChildProcess): ChildProcess {
  const script = `trap '' INT TERM HUP; read -r _; kill -9 ${server.pid}`;
  const guard = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'] });
  // Where there is no shell (Windows) there is no guard.
  guard.on('error', () => {});
  return guard;
}

function failed(what: string, log: string): GridfoldError {
  return new GridfoldError('broker-failed', 'fix-configuration', `${what}:\n${log.trim()}`);
}
