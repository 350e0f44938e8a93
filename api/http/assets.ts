import type { FastifyInstance } from 'fastify';
import type { AssetView, Engine, TableReader } from '../../runtime/system/engine.ts';
import type { DerivedEvent } from '../../runtime/shard/derived.ts';
import { compileFilter } from '../query/filter.ts';
import type { InputTopic } from './ingest.ts';
import { type LifeStory, withNeighbours } from './neighbours.ts';
import { Problem } from './problem.ts';
import { schemas } from './schemas.ts';

interface ListQuery {
  readonly kind?: string;
  readonly status?: string;
  readonly siteId?: string;
  readonly filter?: string;
  readonly limit: number;
  readonly cursor?: string;
}
type OneAsset = { Params: { serial: string } };
type EventPage = OneAsset & { Querystring: { type?: string; before?: string; limit: number } };

/** Lists of assets, one asset, and what happened to it. */
export function assetRoutes(app: FastifyInstance, engine: Engine, tables: TableReader): void {
  app.get<{ Querystring: ListQuery }>('/v1/assets', { schema: schemas.assets }, async (request) => {
    const { kind, cursor, limit } = request.query;
    const page = engine.assets({ kind, cursor, limit, where: condition(request.query) });
    return { items: page.items, cursor: page.cursor };
  });

  app.get<OneAsset & { Querystring: { minPos?: string; timeoutMs: number } }>(
    '/v1/assets/:serial',
    { schema: schemas.asset },
    async (request, reply) => {
      const { minPos, timeoutMs } = request.query;
      if (minPos !== undefined) await waitForAll(engine, minPos, timeoutMs);
      const view = find(engine, request.params.serial);
      const tag = `"rev:${view.revision}"`;
      reply.header('etag', tag).header('x-position', positionOf(view)).header('cache-control', 'no-cache');
      if (request.headers['if-none-match'] === tag) return reply.code(304).send();
      return view;
    },
  );

  app.get<OneAsset>('/v1/assets/:serial/lifecycle', { schema: schemas.assetLifecycle }, async (request) => {
    const { serial } = request.params;
    const items = engine.lifecycle(serial);
    const story = engine.story(serial, Date.now());
    if (items === null || story === null) throw unknownAsset(serial);
    return { serial, ...(await withNeighbours(serial, story as LifeStory, engine, tables)), items };
  });

  const page = async (serial: string, options: { type?: string; before?: string; limit: number }) => {
    find(engine, serial);
    const items = await tables.events(serial, options);
    return { items, next: items.length < options.limit ? null : oldest(items) };
  };
  app.get<EventPage>('/v1/assets/:serial/events', { schema: schemas.events }, async (request) =>
    page(request.params.serial, request.query),
  );
  app.get<EventPage>('/v1/assets/:serial/transitions', { schema: schemas.transitions }, async (request) =>
    page(request.params.serial, { ...request.query, type: 'state_transition' }),
  );
}

function condition({ status, siteId, filter }: ListQuery): ((view: AssetView) => boolean) | undefined {
  if (status === undefined && siteId === undefined && filter === undefined) return undefined;
  const matches = filter === undefined ? undefined : compileFilter(filter).matches;
  return (view) =>
    (status === undefined || view.status === status) &&
    (siteId === undefined || view.siteId === siteId) &&
    (matches === undefined || matches(view));
}

function find(engine: Engine, serial: string): AssetView {
  const view = engine.asset(serial);
  if (view === null) throw unknownAsset(serial);
  return view;
}

function unknownAsset(serial: string): Problem {
  return new Problem(404, 'unknown_asset', `No record of ${JSON.stringify(serial)} has been folded.`);
}

function oldest(events: readonly DerivedEvent[]): string {
  return events.map((event) => event.eventTime).sort()[0];
}

function positionOf({ position }: AssetView): string {
  const { partition, telemetry, lifecycle } = position;
  return `telemetry:${partition}:${telemetry},lifecycle:${partition}:${lifecycle}`;
}

/** Waits for `topic:partition:next` positions; the schema has checked their form. */
async function waitForAll(engine: Engine, positions: string, timeoutMs: number): Promise<void> {
  const waits = positions.split(',').map((one) => {
    const [topic, partition, offset] = one.split(':');
    if (Number(partition) >= engine.partitions) {
      const detail = `There are ${engine.partitions} partitions, counted from 0.`;
      throw new Problem(400, 'unknown_partition', detail, { errors: [{ pointer: '/querystring/minPos', detail }] });
    }
    return engine.waitFor(topic as InputTopic, Number(partition), Number(offset), timeoutMs);
  });
  await Promise.all(waits);
}
