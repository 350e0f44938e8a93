import type { FastifyInstance, FastifyRequest } from 'fastify';
import { cabinetKey } from '../../actors/device/audience.ts';
import { regionKey } from '../../actors/site/region-key.ts';
import type { Member } from '../../runtime/log/membership.ts';
import { homeOf } from '../../runtime/system/assets.ts';
import type { TableReader } from '../../runtime/system/engine.ts';
import { ownerAnswers, pathOf } from '../members/forward.ts';
import { lacking, partitionName } from '../members/gather.ts';
import { checkHere, type Group, isForwarded } from '../members/group.ts';
import { type Page, pageOverGroup } from '../members/pages.ts';
import { Problem } from './problem.ts';
import { schemas } from './schemas.ts';

interface ListQuery {
  readonly search?: string;
  readonly cursor?: string;
  readonly limit: number;
}

/** Sites, cabinets and regions, as their actors know them: totals of the newest minute and who stands there. */
export function siteRoutes(app: FastifyInstance, group: Group, tables: TableReader): void {
  app.get<{ Querystring: ListQuery }>('/v1/sites', { schema: schemas.sites }, async (request) => {
    const { search } = request.query;
    if (search === undefined) return listed(await paged(group, 'site', request));
    return listed(await searched(group, tables, { ...request.query, search }));
  });
  app.get<{ Params: { siteId: string } }>(
    '/v1/sites/:siteId',
    { schema: schemas.site, preHandler: ownerAnswers(group, ({ siteId }) => siteId) },
    async ({ params: { siteId } }) => known(group, 'site', siteId, siteId),
  );
  app.get<{ Params: { siteId: string; cabinet: string } }>(
    '/v1/cabinets/:siteId/:cabinet',
    {
      schema: schemas.cabinet,
      preHandler: ownerAnswers(group, ({ siteId, cabinet }) => cabinetKey(siteId, cabinet)),
    },
    async ({ params: { siteId, cabinet } }) => {
      const key = cabinetKey(siteId, cabinet);
      return known(group, 'cabinet', key, key);
    },
  );
  app.get<{ Querystring: ListQuery }>('/v1/regions', { schema: schemas.regions }, async (request) =>
    listed(await paged(group, 'region', request)),
  );
  app.get<{ Params: { region: string } }>(
    '/v1/regions/:region',
    { schema: schemas.region, preHandler: ownerAnswers(group, ({ region }) => regionKey(region)) },
    async ({ params: { region } }) => known(group, 'region', regionKey(region), region),
  );
}

function paged(
  { engine, peers }: Group,
  kind: 'site' | 'region',
  request: FastifyRequest<{ Querystring: ListQuery }>,
): Promise<Page<object>> {
  const source = {
    here: (cursor: string, limit: number, until: number) => engine.summaries(kind, { cursor, limit, until }),
    there: (member: Member, cursor: string, limit: number) =>
      peers.json<Page<object>>(member, { path: pathOf(`/v1/${kind}s`, {}, { cursor, limit }) }),
  };
  return pageOverGroup(engine, source, request.query, isForwarded(request));
}

/** Names of places are looked up in the table of who stood where: no actor is woken to see that it does not match. */
const MATCHING = `select distinct site_id from slot_occupancies
where contains(lower(site_id), lower(?)) and site_id > ? order by site_id limit ?`;

/** A page of the sites whose name holds a text, by name; the cursor is the last name of the page before. */
async function searched(
  group: Group,
  tables: TableReader,
  query: ListQuery & { search: string },
): Promise<Page<object>> {
  const { rows } = await tables.query(MATCHING, [query.search, query.cursor ?? '', query.limit + 1], query.limit + 1);
  const names = rows.map(([name]) => String(name)).slice(0, query.limit);
  const missing = new Set<string>();
  const sites = await Promise.all(names.map((name) => siteOf(group, name, missing)));
  const items = sites.filter((one) => one !== null);
  return { items, cursor: rows.length > query.limit ? names[names.length - 1] : null, incomplete: [...missing] };
}

/** The site from whoever has it; null where nobody knows it, or where its process is `missing`. */
async function siteOf({ engine, peers }: Group, siteId: string, missing: Set<string>): Promise<object | null> {
  const { partition } = homeOf(siteId, engine.partitions);
  const place = engine.place(partition);
  if (place.at === 'here') return engine.summary('site', siteId);
  const lacks = place.at === 'there' ? place.member.url : partitionName(partition);
  try {
    if (place.at === 'there' && !missing.has(lacks)) {
      return await peers.json(place.member, { path: pathOf('/v1/sites/:siteId', { siteId }, {}) });
    }
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 404) return null;
  }
  missing.add(lacks);
  return null;
}

/** Lists leave out who belongs to a place: it may be thousands. */
function listed({ items, cursor, incomplete }: Page<object>) {
  return {
    items: items.map((one) => Object.fromEntries(Object.entries(one).filter(([name]) => !LONG.has(name)))),
    cursor,
    ...lacking(incomplete),
  };
}
const LONG: ReadonlySet<string> = new Set(['members', 'sites']);

function known({ engine }: Group, kind: string, key: string, name: string): object {
  const found = engine.summary(kind, key);
  if (found !== null) return found;
  checkHere(engine, key);
  throw new Problem(404, `unknown_${kind}`, `No asset that stands at ${JSON.stringify(name)} has told anything.`);
}
