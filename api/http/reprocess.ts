import type { FastifyInstance } from 'fastify';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { Engine } from '../../runtime/system/engine.ts';
import { Problem } from './problem.ts';
import { reprocessSchemas as schemas } from './reprocess-schemas.ts';

/** A second fold of the history: its own derived events and tables, beside the live ones. */
export interface SetView {
  readonly name: string;
  /** Whether it reads the input of the live fold, or records that are given to it. */
  readonly input: 'log' | 'files';
  /** Records of the log from this time on, RFC 3339; null: all that the log holds. */
  readonly from: string | null;
  /** Facts of before, by event time, are left to the live tables when it is shown; null: none. */
  readonly since: string | null;
  readonly begunAt: string;
  /** Machines it was begun with. */
  readonly machines: readonly string[];
  readonly status: 'folding' | 'following' | 'failed';
  /** Records folded and committed, of those that the input held when it was begun last. */
  readonly folded: number;
  readonly total: number;
  /** Derived events in its tables. */
  readonly rows: number;
  /** Whether queries read its tables in place of the live ones. */
  readonly shown: boolean;
  readonly error: string | null;
}

/** How the current facts of one table differ between the live fold and a set. */
export interface SetDifference {
  readonly table: string;
  readonly common: number;
  readonly onlyLive: number;
  readonly onlyOther: number;
  readonly changed: number;
}

export interface BeginSet {
  readonly name: string;
  readonly input: 'log' | 'files';
  /** Epoch milliseconds; null: all that the log holds. */
  readonly fromMs: number | null;
}

/**
 * What the doors ask of reprocessing. Errors: `reprocess_name_invalid`, `reprocess_time_invalid`, `reprocess_unknown`,
 * `reprocess_exists`, `reprocess_shown`, `reprocess_behind`, `reprocess_failed`, `reprocess_reads_log` and `tables_off`,
 * all fix-configuration.
 */
export interface Reprocessor {
  list(): Promise<SetView[]>;
  view(name: string): Promise<SetView>;
  /** Begins a set, or goes on with it; resolves when its partitions are at work. */
  begin(options: BeginSet): Promise<SetView>;
  /** Waits until both folds have folded and committed what stands in their input now, and compares their tables. */
  compare(name: string): Promise<SetDifference[]>;
  /** Lets queries read the set's tables, or with `back` the live ones again. */
  cutOver(name: string, back: boolean): Promise<SetView>;
  /** Removes the set with its topics and tables. */
  drop(name: string): Promise<void>;
  /** Takes records for a set of files. */
  engineOf(name: string): Engine;
}

/** Statuses of refusals whose cause lies in the request or in the state of the set. */
const statuses: Readonly<Record<string, number>> = {
  reprocess_name_invalid: 400,
  reprocess_time_invalid: 400,
  reprocess_unknown: 404,
  reprocess_exists: 409,
  reprocess_shown: 409,
  reprocess_behind: 409,
  reprocess_failed: 409,
  reprocess_reads_log: 409,
  tables_off: 409,
};

type Named = { Params: { name: string } };

export function reprocessRoutes(app: FastifyInstance, sets: Reprocessor): void {
  const path = '/v1/reprocess';
  app.get(path, { schema: schemas.list }, async () => ({ items: await sets.list() }));
  app.post<{ Body: BeginSet }>(path, { schema: schemas.begin }, ({ body }) => refusing(() => sets.begin(body)));
  app.get<Named>(`${path}/:name`, { schema: schemas.view }, ({ params }) => refusing(() => sets.view(params.name)));
  app.post<Named>(`${path}/:name/compare`, { schema: schemas.compare }, ({ params }) =>
    refusing(async () => ({ tables: await sets.compare(params.name) })),
  );
  app.post<Named & { Body: { back: boolean } }>(
    `${path}/:name/cut-over`,
    { schema: schemas.cutOver },
    ({ params, body }) => refusing(() => sets.cutOver(params.name, body.back)),
  );
  app.post<Named>(`${path}/:name/drop`, { schema: schemas.drop }, ({ params }) =>
    refusing(async () => {
      await sets.drop(params.name);
      return { dropped: true };
    }),
  );
}

/** The engine of a set of files; throws the problem that says why there is none. */
export function engineOfSet(sets: Reprocessor, name: string): Engine {
  try {
    return sets.engineOf(name);
  } catch (error) {
    throw asRefusal(error);
  }
}

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asRefusal(error);
  }
}

function asRefusal(error: unknown): unknown {
  const status = error instanceof GridfoldError ? statuses[error.code] : undefined;
  return status === undefined ? error : new Problem(status, (error as GridfoldError).code, (error as Error).message);
}
