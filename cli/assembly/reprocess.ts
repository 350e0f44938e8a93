import { mkdirSync } from 'node:fs';
import type { BeginSet, Reprocessor, SetDifference, SetView } from '../../api/http/reprocess.ts';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { topics } from '../../runtime/log/contract.ts';
import type { Engine } from '../../runtime/system/engine.ts';
import type { AuditReport } from '../app-contract.ts';
import { audit } from './audit.ts';
import { endsOf, knownEndsOf, planInput, progressOf } from './reprocess-input.ts';
import {
  checkSetName,
  readSetRecords,
  removeSet,
  type SetRecord,
  setFolder,
  writeSetRecord,
} from './reprocess-record.ts';
import { ReprocessedSet, type SetParts } from './reprocess-set.ts';

export interface ReprocessingParts extends SetParts {
  /** Deletes what the log of a set holds outside of its folder. */
  readonly dropLog: (name: string) => Promise<void>;
  /** Resolves when the live fold and its tables have taken in all that is there. */
  readonly settleLive: () => Promise<void>;
}

interface Entry {
  readonly record: SetRecord;
  /** Null while it is not at work; then `error` says why. */
  readonly set: ReprocessedSet | null;
  readonly error: string | null;
}

/** The reprocessed sets of a data folder. What changes one is done one after the other. */
export class ReprocessedSets implements Reprocessor {
  readonly #parts: ReprocessingParts;
  readonly #entries = new Map<string, Entry>();
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(parts: ReprocessingParts) {
    this.#parts = parts;
    for (const record of readSetRecords(parts.config.dataDir)) {
      this.#entries.set(record.name, { record, set: null, error: null });
    }
  }

  /** Goes on with every set; one that cannot is told of in its view, and stops no other. */
  resume(): Promise<void> {
    return this.#alone(async () => {
      for (const { record, set } of this.#entries.values()) if (set === null) await this.#open(record).catch(() => {});
    });
  }

  async list(): Promise<SetView[]> {
    await this.#turn;
    return Promise.all([...this.#entries.keys()].map((name) => this.view(name)));
  }

  async view(name: string): Promise<SetView> {
    const { record, set, error } = this.#entry(name);
    const { folded, total } = progress(this.#entry(name));
    const problem = set?.error ?? error;
    const shown = await this.#parts.tables.shown();
    return {
      name,
      input: record.input,
      from: timeOf(record.fromMs),
      since: timeOf(record.sinceMs),
      begunAt: new Date(record.begunAtMs).toISOString(),
      machines: record.machines,
      status: problem !== null ? 'failed' : set === null || folded < total ? 'folding' : 'following',
      folded,
      total,
      rows: set?.rows ?? 0,
      shown: shown?.schema === name,
      error: problem,
    };
  }

  begin(options: BeginSet): Promise<SetView> {
    checkSetName(options.name);
    return this.#alone(async () => {
      const standing = this.#entries.get(options.name);
      if (standing === undefined) await this.#create(options);
      else await this.#goOn(standing, options);
      return this.view(options.name);
    });
  }

  async compare(name: string): Promise<SetDifference[]> {
    await this.#turn;
    const set = this.#atWork(name);
    await this.#parts.settleLive();
    await set.settled();
    return this.#parts.tables.compare(name, this.#entry(name).record.sinceMs);
  }

  cutOver(name: string, back: boolean): Promise<SetView> {
    return this.#alone(async () => {
      const entry = this.#entry(name);
      const { tables } = this.#parts;
      if (back) {
        if ((await tables.shown())?.schema === name) await tables.show(null);
        return this.view(name);
      }
      const set = this.#atWork(name);
      const { folded, total } = progress(entry);
      if (folded < total) throw behind(name, folded, total);
      await set.settled();
      await tables.show({ schema: name, sinceMs: entry.record.sinceMs });
      return this.view(name);
    });
  }

  drop(name: string): Promise<void> {
    return this.#alone(async () => {
      const { set } = this.#entry(name);
      const { tables, config, dropLog } = this.#parts;
      if ((await tables.shown())?.schema === name) {
        throw new GridfoldError(
          'reprocess_shown',
          'fix-configuration',
          `queries read set ${name}: cut over back first`,
        );
      }
      await set?.close();
      this.#entries.set(name, { ...this.#entry(name), set: null, error: 'it is being dropped' });
      await dropLog(name);
      await tables.dropBeside(name);
      removeSet(config.dataDir, name);
      this.#entries.delete(name);
    });
  }

  engineOf(name: string): Engine {
    if (this.#entry(name).record.input !== 'files') {
      throw new GridfoldError(
        'reprocess_reads_log',
        'fix-configuration',
        `set ${name} reads the log of the live fold; files need a set of their own`,
      );
    }
    return this.#atWork(name).engine;
  }

  /** Holds the tables of every set that is at work against its derived topic. */
  async audit(): Promise<AuditReport[]> {
    const sets = [...this.#entries.values()].flatMap(({ set }) => (set === null ? [] : [set]));
    return Promise.all(sets.map(({ own, sink }) => audit(own, [sink])));
  }

  /** To be called before the tables and the log are closed. */
  close(): Promise<void> {
    this.#closed = true;
    return this.#alone(async () => {
      for (const { set } of this.#entries.values()) await set?.close();
      this.#entries.clear();
    });
  }

  async #create({ name, input, fromMs }: BeginSet): Promise<void> {
    const { source, clock, config, types, tables } = this.#parts;
    const now = clock.now();
    if (fromMs !== null && fromMs > now) {
      throw new GridfoldError(
        'reprocess_time_invalid',
        'fix-configuration',
        `${timeOf(fromMs)} lies in the future: nothing is reprocessed from there`,
      );
    }
    // What an end that was cut off left behind.
    removeSet(config.dataDir, name);
    await tables.dropBeside(name);
    mkdirSync(setFolder(config.dataDir, name), { recursive: true });
    const none = Array.from({ length: source.partitions }, () => 0);
    const nothing = { telemetry: none, lifecycle: none };
    const files = { firsts: nothing, sinceMs: null, ends: nothing };
    const plan = input === 'files' ? files : { ...(await planInput(source, fromMs)), ends: await endsOf(source) };
    const machines = types.flatMap(({ kinds }) => kinds.map(({ machine }) => machine));
    const record: SetRecord = { name, input, fromMs, ...plan, machines, begunAtMs: now };
    await this.#refuseForeign(name);
    writeSetRecord(config.dataDir, record);
    await this.#open(record);
  }

  /** On Kafka another process may have a set of this name; to claim its partitions would end it. */
  async #refuseForeign(name: string): Promise<void> {
    const own = await this.#parts.openLog(name);
    try {
      for (let partition = 0; partition < own.partitions; partition++) {
        if ((await own.latest(topics.journal, partition)).end === 0) continue;
        throw new GridfoldError(
          'reprocess_exists',
          'fix-configuration',
          `the topics of a set ${name} hold records already: another process has it, or its data folder is gone. Choose another name, or delete the topics`,
        );
      }
    } finally {
      await own.close();
    }
  }

  /** The same set with the input as it is now; one that failed is tried again. */
  async #goOn({ record, set, error }: Entry, { name, input, fromMs }: BeginSet): Promise<void> {
    if (record.input !== input || record.fromMs !== fromMs) {
      const begun = record.input === 'files' ? 'from files' : `from ${timeOf(record.fromMs) ?? 'the start of the log'}`;
      throw new GridfoldError(
        'reprocess_exists',
        'fix-configuration',
        `there is a set ${name}, begun ${begun}: drop it, or choose another name`,
      );
    }
    const { source, config } = this.#parts;
    const ends = input === 'log' ? await endsOf(source) : record.ends;
    const next = { ...record, ends };
    writeSetRecord(config.dataDir, next);
    this.#entries.set(name, { record: next, set, error });
    if (set !== null && set.error === null) return;
    await set?.close();
    await this.#open(next);
  }

  async #open(record: SetRecord): Promise<void> {
    const { name } = record;
    const { tables } = this.#parts;
    if (this.#closed) return;
    this.#entries.set(name, { record, set: null, error: null });
    try {
      const set = await ReprocessedSet.open(record, this.#parts);
      this.#entries.set(name, { record, set, error: null });
      // The views as this release makes them.
      const shown = await tables.shown();
      if (shown?.schema === name) await tables.show(shown);
    } catch (error) {
      this.#entries.set(name, { record, set: null, error: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry !== undefined) return entry;
    const names = [...this.#entries.keys()];
    const there = names.length === 0 ? 'there is none' : `there are ${names.join(', ')}`;
    throw new GridfoldError(
      'reprocess_unknown',
      'fix-configuration',
      `there is no reprocessed set "${name}"; ${there}`,
    );
  }

  #atWork(name: string): ReprocessedSet {
    const { set, error } = this.#entry(name);
    if (set === null || set.error !== null) {
      throw new GridfoldError(
        'reprocess_failed',
        'fix-configuration',
        `set ${name} is not at work: ${set?.error ?? error ?? 'it is being opened'}`,
      );
    }
    return set;
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#turn.then(work);
    this.#turn = run.catch(() => {});
    return run;
  }
}

/** Records folded and committed, of those that the input held when the set was begun last; of files, that it holds. */
function progress({ record, set }: Entry): { folded: number; total: number } {
  if (set === null) return { folded: 0, total: 0 };
  const ends = record.input === 'files' ? knownEndsOf(set.own) : record.ends;
  return progressOf(record.firsts, ends, set.reached());
}

const timeOf = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

function behind(name: string, folded: number, total: number): GridfoldError {
  return new GridfoldError(
    'reprocess_behind',
    'fix-configuration',
    `set ${name} has folded ${folded} of ${total} records: wait until it has caught up`,
  );
}
