import type { Clock } from '../../runtime/kernel/clock.ts';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { ResolvedSchema, SchemaTable } from '../wire.ts';
import { SchemaCache } from './cache.ts';
import { formatOf } from './schema-type.ts';
import type { FoundSchema, RegistryStatus, SchemaSource } from './source.ts';
import { recordOf } from './subject.ts';
import { backoff, waitFor } from './wait.ts';

export interface RegistryTableOptions {
  readonly source: SchemaSource;
  readonly cache?: SchemaCache;
  /** Prefix of the topics: their names are in the names of the subjects. */
  readonly prefix: string;
  readonly clock: Clock;
  /** How often the registry must say that there is no such schema until the id is judged unknown: a producer may be faster than its registration. 1 to 20. @default 3 */
  readonly attempts?: number;
  /** First pause between those; doubled. @default 250 */
  readonly backoffMs?: number;
  /** For so long a verdict holds; then the registry is asked again. @default 60000 */
  readonly unknownForMs?: number;
  /** New ids that one call of `resolve` asks for; more of them in one batch are no schemas but noise, and judged unknown. @default 256 */
  readonly maxIdsPerCall?: number;
  /** Verdicts kept; beyond them the oldest goes. @default 4096 */
  readonly maxUnknown?: number;
  /** Told when the registry stops or begins to answer. */
  readonly onMessage?: (level: 'info' | 'warn', message: string) => void;
}

export interface RegistryTableStatus extends RegistryStatus {
  /** Schemas at hand. */
  readonly known: number;
  /** Ids judged unknown now. */
  readonly unknown: number;
  /** Ids that wait for an answer; while the registry is away, the partitions that need them wait as well. */
  readonly waiting: number;
  /** Ids judged unknown without asking, since there were too many at once. */
  readonly overLimit: number;
}

const CONCURRENT = 4;
const MAX_BACKOFF_MS = 10_000;

/** The schemas of a registry, at hand without waiting once `resolve` has asked for them. */
export class RegistryTable implements SchemaTable {
  readonly #options: Required<Omit<RegistryTableOptions, 'cache'>> & { readonly cache: SchemaCache };
  /** As many as records name; what a registry holds is its bound. */
  readonly #known = new Map<number, ResolvedSchema>();
  /** Until when an id counts as unknown, epoch milliseconds; the oldest first. */
  readonly #unknown = new Map<number, number>();
  readonly #asked = new Map<number, Promise<void>>();
  readonly #closing = new AbortController();
  #overLimit = 0;
  #isAway = false;

  constructor(options: RegistryTableOptions) {
    this.#options = {
      cache: new SchemaCache(null),
      attempts: 3,
      backoffMs: 250,
      unknownForMs: 60_000,
      maxIdsPerCall: 256,
      maxUnknown: 4_096,
      onMessage: () => {},
      ...options,
    };
    for (const schema of this.#options.cache.values()) this.#learn(schema);
  }

  get(id: number): ResolvedSchema | 'unknown' | undefined {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const until = this.#unknown.get(id);
    return until !== undefined && this.#options.clock.now() < until ? 'unknown' : undefined;
  }

  /**
   * Asks for those of the ids that the table does not know, and returns the ids that there is no schema of, ascending. A
   * registry that does not answer is waited for, as long as it takes: only its word makes an id unknown. Throws
   * `registry_stopped` (stop) when the table is closed, or the signal aborted, before that.
   */
  async resolve(ids: Iterable<number>, signal?: AbortSignal): Promise<number[]> {
    const wanted = [...new Set(ids)].sort((a, b) => a - b);
    const open = wanted.filter((id) => this.get(id) === undefined);
    // Registries count from 1 upwards, noise is spread over 31 bits: the smallest ids are the likely ones.
    for (const id of open.splice(this.#options.maxIdsPerCall)) {
      this.#overLimit++;
      this.#judgeUnknown(id);
    }
    await this.#askAll(open, signal);
    return wanted.filter((id) => !this.#known.has(id));
  }

  /**
   * For the replay of records whose schemas were all known when they were folded: asks for those that are not at hand,
   * however many. An id that the registry does not know any more is `schema_lost` (stop): the replay would say something
   * else than before.
   */
  async require(ids: Iterable<number>, signal?: AbortSignal): Promise<void> {
    const wanted = [...new Set(ids)].filter((id) => !this.#known.has(id));
    await this.#askAll(wanted, signal);
    const lost = wanted.filter((id) => !this.#known.has(id));
    if (lost.length === 0) return;
    throw new GridfoldError(
      'schema_lost',
      'stop',
      `records that were folded before name schemas that the registry does not have any more: ${lost.slice(0, 20).join(', ')}; register them again under the same ids, or point to the registry that has them`,
    );
  }

  async #askAll(ids: readonly number[], signal: AbortSignal | undefined): Promise<void> {
    const next = ids.values();
    const lane = async () => {
      for (const id of next) await this.#ask(id, signal);
    };
    await Promise.all(Array.from({ length: CONCURRENT }, lane));
  }

  status(): RegistryTableStatus {
    const now = this.#options.clock.now();
    let unknown = 0;
    for (const until of this.#unknown.values()) if (until > now) unknown++;
    return {
      ...this.#options.source.status(),
      known: this.#known.size,
      unknown,
      waiting: this.#asked.size,
      overLimit: this.#overLimit,
    };
  }

  /** Ends what waits for the registry. */
  close(): void {
    this.#closing.abort();
  }

  /** One question per id at a time, however many partitions wait for it. */
  #ask(id: number, signal: AbortSignal | undefined): Promise<void> {
    let asked = this.#asked.get(id);
    if (asked === undefined) {
      asked = this.#learnOf(id).finally(() => this.#asked.delete(id));
      this.#asked.set(id, asked);
    }
    return signal === undefined ? asked : untilStopped(asked, signal);
  }

  async #learnOf(id: number): Promise<void> {
    const { source, clock, attempts, backoffMs, cache } = this.#options;
    const { signal } = this.#closing;
    let absent = 0;
    let failures = 0;
    while (!signal.aborted) {
      let found: FoundSchema | null = null;
      try {
        found = await source.schema(id, signal);
        this.#setAway(false);
        failures = 0;
      } catch (error) {
        if (!(error instanceof GridfoldError)) throw error;
        if (signal.aborted) break;
        this.#setAway(true, error.message);
        await waitFor(clock, backoff(failures++, backoffMs, MAX_BACKOFF_MS), signal);
        continue;
      }
      if (found !== null && this.#learn(found)) {
        cache.put(found);
        return;
      }
      if (++absent >= attempts) return this.#judgeUnknown(id);
      await waitFor(clock, backoff(absent - 1, backoffMs, MAX_BACKOFF_MS), signal);
    }
    throw stop();
  }

  /** False for a schema that describes none of our records. */
  #learn({ id, schemaType, schema, subjects }: FoundSchema): boolean {
    const subject = recordOf(subjects, this.#options.prefix);
    if (subject === null) return false;
    this.#unknown.delete(id);
    this.#known.set(id, { id, format: formatOf(schemaType), subject, text: schema });
    return true;
  }

  #judgeUnknown(id: number): void {
    const { clock, unknownForMs, maxUnknown } = this.#options;
    this.#unknown.delete(id);
    this.#unknown.set(id, clock.now() + unknownForMs);
    for (const oldest of this.#unknown.keys()) {
      if (this.#unknown.size <= maxUnknown) break;
      this.#unknown.delete(oldest);
    }
  }

  #setAway(isAway: boolean, why = ''): void {
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    if (isAway) this.#options.onMessage('warn', `records with a new schema wait: ${why}`);
    else this.#options.onMessage('info', 'the schema registry answers again');
  }
}

/** The work, unless the signal says stop before it is done. */
function untilStopped(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(stop());
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

const stop = () =>
  new GridfoldError('registry_stopped', 'stop', 'the wait for the schema registry was ended before it answered');
