import type { FastifyInstance } from 'fastify';
import { type Clock, systemClock } from '../../runtime/kernel/clock.ts';
import type { FleetView, PartitionStatus, SinkStatus, TableReader } from '../../runtime/system/engine.ts';
import { mergeFleets } from '../members/fleet.ts';
import { gather, lacking } from '../members/gather.ts';
import { type Group, isForwarded } from '../members/group.ts';
import { settleGroup } from '../members/settle.ts';
import { parsePositions, waitForAll } from '../members/wait.ts';
import { schemas } from './schemas.ts';

/** What the auditor found; `ok` is false when a sink lost or doubled anything. Rows are passed on as they are. */
export interface AuditReport {
  readonly ok: boolean;
  readonly sinks: readonly object[];
}

/** A record that was set aside. */
export interface DeadLetterView {
  /** Place in the dead-letter topic. */
  readonly partition: number;
  readonly offset: number;
  /** RFC 3339. */
  readonly at: string;
  readonly reason: string;
  readonly serial: string | null;
  /** `topic:partition:offset` it was read from; null when a door refused it. */
  readonly source: string | null;
  readonly bytes: number;
  /** The original bytes, base64. */
  readonly value: string;
}

export interface DeadLetterPage {
  readonly items: readonly DeadLetterView[];
  /** Opaque, given back as `before`; null at the end. */
  readonly next: string | null;
}

export interface DeadLetterQuery {
  readonly limit: number;
  readonly reason?: string;
  readonly before?: string;
}

/** A kind's machine as people draw it. */
export interface MachineDiagram {
  readonly kind: string;
  readonly machine: string;
  readonly regions: readonly {
    readonly name: string;
    readonly initial: string;
    readonly states: readonly string[];
    readonly transitions: readonly { readonly from: string; readonly to: string; readonly event: string }[];
  }[];
}

export interface Operations {
  readonly group: Group;
  /** Where this process serves. */
  readonly url: () => string;
  readonly tables: TableReader;
  readonly machines: readonly MachineDiagram[];
  readonly audit: () => Promise<AuditReport>;
  readonly deadLetters: (query: DeadLetterQuery) => Promise<DeadLetterPage>;
  readonly live: () => { connections: number; subscriptions: number };
  readonly clock?: Clock;
}

/** The fleet as a whole, the pipeline, questions in SQL, and what an operator asks. */
export function operationRoutes(app: FastifyInstance, parts: Operations): void {
  const { group } = parts;
  const { engine } = group;
  const clock = parts.clock ?? systemClock;

  app.get('/v1/fleet', { schema: schemas.fleet }, async (request) => {
    const own = engine.fleet();
    const at = new Date(clock.now()).toISOString();
    if (isForwarded(request)) return { at, ...own };
    const { answers, incomplete } = await gather<FleetView>(group, { path: '/v1/fleet' });
    return { at, ...mergeFleets([own, ...answers]), ...lacking(incomplete) };
  });
  app.get('/v1/pipeline', { schema: schemas.pipeline }, async (request) => {
    const own = pipelineHere(parts);
    if (isForwarded(request)) return own;
    const { answers, incomplete } = await gather<Pipeline>(group, { path: '/v1/pipeline' });
    const merged = mergePipelines([own, ...answers]);
    return { ...merged, ready: merged.ready && incomplete.length === 0, ...lacking(incomplete) };
  });
  app.get<{ Querystring: { minPos?: string; timeoutMs: number } }>(
    '/v1/pipeline/wait',
    { schema: schemas.wait },
    async (request) => {
      const { minPos, timeoutMs } = request.query;
      const positions = minPos === undefined ? [] : parsePositions(minPos, engine.partitions);
      await waitForAll(group, positions, timeoutMs, isForwarded(request));
      return { folded: true };
    },
  );
  app.get('/v1/machines', { schema: schemas.machines }, async () => ({ items: parts.machines }));
  app.get('/v1/audit', { schema: schemas.audit }, async () => parts.audit());
  app.get<{ Querystring: DeadLetterQuery }>('/v1/dead-letters', { schema: schemas.deadLetters }, async (request) =>
    parts.deadLetters(request.query),
  );
  app.post<{ Body: { sql: string; limit: number; parameters: unknown[] } }>(
    '/v1/sql',
    { schema: schemas.sql },
    async ({ body }) => {
      const found = await parts.tables.query(body.sql, body.parameters, body.limit);
      const names = uniqueNames(found.columns.map((column) => column.name));
      const columns = found.columns.map((column, index) => ({ name: names[index], type: column.type }));
      return { columns, rows: found.rows.map((row) => asObject(names, row)), truncated: found.truncated };
    },
  );
  app.post<{ Querystring: { timeoutMs: number } }>('/v1/settle', { schema: schemas.settle }, async (request) => {
    await settleGroup(group, request.query.timeoutMs, clock, isForwarded(request));
    return { settled: true };
  });
}

/** Two columns of one name would be one member of the row: the second becomes `name_2`. */
function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let n = 2; taken.has(unique); n++) unique = `${name}_${n}`;
    taken.add(unique);
    return unique;
  });
}

function asObject(names: readonly string[], row: readonly unknown[]): Record<string, unknown> {
  // No prototype: a column may be called __proto__.
  const object: Record<string, unknown> = Object.create(null);
  names.forEach((name, index) => {
    object[name] = row[index];
  });
  return object;
}

interface Pipeline {
  readonly ready: boolean;
  readonly partitions: readonly (PartitionStatus & { readonly owner: string })[];
  readonly sinks: readonly (SinkStatus & { readonly owner: string })[];
  readonly live: { readonly connections: number; readonly subscriptions: number };
}

function pipelineHere({ group, url, live }: Operations): Pipeline {
  const { ready, partitions, sinks } = group.engine.status();
  const owner = url();
  return {
    ready,
    partitions: partitions.map((one) => ({ ...one, owner })),
    sinks: sinks.map((one) => ({ ...one, owner })),
    live: live(),
  };
}

function mergePipelines(parts: readonly Pipeline[]): Pipeline {
  const sum = (of: keyof Pipeline['live']) => parts.reduce((total, { live }) => total + live[of], 0);
  return {
    ready: parts.every(({ ready }) => ready),
    partitions: parts
      .flatMap(({ partitions }) => partitions)
      .sort((a, b) => a.actor.localeCompare(b.actor) || a.partition - b.partition),
    sinks: parts.flatMap(({ sinks }) => sinks),
    live: { connections: sum('connections'), subscriptions: sum('subscriptions') },
  };
}
