import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Member } from '../../runtime/log/membership.ts';
import type { AssetView, Engine, TableReader } from '../../runtime/system/engine.ts';
import type { DerivedEvent } from '../../runtime/shard/derived.ts';
import { homeOf } from '../../runtime/system/assets.ts';
import { ownerAnswers, pathOf } from '../members/forward.ts';
import { lacking } from '../members/gather.ts';
import { checkHere, type Group, isForwarded } from '../members/group.ts';
import { pageOverGroup } from '../members/pages.ts';
import { FORWARDED } from '../members/peers.ts';
import { formatPositions, parsePositions, waitForAll } from '../members/wait.ts';
import { compileFilter } from '../query/filter.ts';
import { type LifeStory, ownWords, withNeighbours } from './neighbours.ts';
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
interface Listed {
  readonly items: AssetView[];
  readonly cursor: string | null;
}
type OneAsset = { Params: { serial: string } };
type AssetQuery = OneAsset & { Querystring: { minPos?: string; timeoutMs: number } };
type EventPage = OneAsset & { Querystring: { type?: string; before?: string; limit: number } };

/** Lists of assets, one asset, and what happened to it; whichever process has them. */
export function assetRoutes(app: FastifyInstance, group: Group, tables: TableReader): void {
  const { engine, peers } = group;
  const atOwner = ownerAnswers(group, ({ serial }) => serial);

  app.get<{ Querystring: ListQuery }>('/v1/assets', { schema: schemas.assets }, async (request) => {
    const { kind } = request.query;
    const where = condition(request.query);
    const source = {
      here: (cursor: string, limit: number, until: number) => engine.assets({ kind, cursor, limit, until, where }),
      there: (member: Member, cursor: string, limit: number) =>
        peers.json<Listed>(member, { path: pathOf('/v1/assets', {}, { ...request.query, cursor, limit }) }),
    };
    const page = await pageOverGroup(engine, source, request.query, isForwarded(request));
    return { items: page.items, cursor: page.cursor, ...lacking(page.incomplete) };
  });

  app.get<AssetQuery>(
    '/v1/assets/:serial',
    { schema: schemas.asset, preHandler: [(request) => waitForOthers(group, request), atOwner] },
    async (request, reply) => {
      const { minPos, timeoutMs } = request.query;
      if (minPos !== undefined) {
        const positions = parsePositions(minPos, engine.partitions);
        await waitForAll(group, positions, timeoutMs, isForwarded(request));
      }
      const view = find(engine, request.params.serial);
      const tag = `"rev:${view.revision}"`;
      reply.header('etag', tag).header('x-position', positionOf(view)).header('cache-control', 'no-cache');
      if (request.headers['if-none-match'] === tag) return reply.code(304).send();
      return view;
    },
  );

  app.get<OneAsset>(
    '/v1/assets/:serial/lifecycle',
    { schema: schemas.assetLifecycle, preHandler: atOwner },
    async (request) => {
      const { serial } = request.params;
      const items = engine.lifecycle(serial);
      const story = engine.story(serial, Date.now()) as LifeStory | null;
      if (items === null || story === null) throw unknownAsset(serial);
      const mayAsk = request.headers[FORWARDED] !== asNeighbour;
      const storyOf = (other: string) => neighbourStory(group, other, mayAsk);
      return { serial, ...(await withNeighbours(serial, story, storyOf, tables)), items };
    },
  );

  const page = async (serial: string, options: { type?: string; before?: string; limit: number }) => {
    find(engine, serial);
    const items = await tables.events(serial, options);
    return { items, next: items.length < options.limit ? null : oldest(items) };
  };
  app.get<EventPage>('/v1/assets/:serial/events', { schema: schemas.events, preHandler: atOwner }, async (request) =>
    page(request.params.serial, request.query),
  );
  app.get<EventPage>(
    '/v1/assets/:serial/transitions',
    { schema: schemas.transitions, preHandler: atOwner },
    async (request) => page(request.params.serial, { ...request.query, type: 'state_transition' }),
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
  if (view !== null) return view;
  checkHere(engine, serial);
  throw unknownAsset(serial);
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

/** Positions of partitions that are not the asset's are waited for before the asset's owner is asked, which has the rest. */
async function waitForOthers(group: Group, request: FastifyRequest<AssetQuery>): Promise<void> {
  const { query, params } = request;
  if (query.minPos === undefined || isForwarded(request)) return;
  const home = homeOf(params.serial, group.engine.partitions).partition;
  const positions = parsePositions(query.minPos, group.engine.partitions);
  await waitForAll(
    group,
    positions.filter(({ partition }) => partition !== home),
    query.timeoutMs,
    false,
  );
  const own = positions.filter(({ partition }) => partition === home);
  query.minPos = own.length === 0 ? undefined : formatPositions(own);
}

/** Marks the question for a neighbour's story: its process answers without asking for the neighbours in turn. */
const asNeighbour = 'neighbour';

/** The story of another asset, where its process can be asked now. */
async function neighbourStory({ engine, peers }: Group, serial: string, mayAsk: boolean): Promise<LifeStory | null> {
  const place = engine.place(homeOf(serial, engine.partitions).partition);
  if (place.at === 'here') return engine.story(serial, Date.now()) as LifeStory | null;
  if (place.at === 'moving' || !mayAsk) return null;
  try {
    const path = pathOf('/v1/assets/:serial/lifecycle', { serial }, {});
    return ownWords(await peers.json<LifeStory>(place.member, { path, headers: { [FORWARDED]: asNeighbour } }));
  } catch (error) {
    if (error instanceof Problem && (error.status === 503 || error.status === 404)) return null;
    throw error;
  }
}
