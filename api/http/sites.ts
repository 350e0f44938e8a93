import type { FastifyInstance } from 'fastify';
import { cabinetKey } from '../../actors/device/audience.ts';
import { regionKey } from '../../actors/site/region-key.ts';
import type { Engine, TableReader } from '../../runtime/system/engine.ts';
import { Problem } from './problem.ts';
import { schemas } from './schemas.ts';

interface ListQuery {
  readonly search?: string;
  readonly cursor?: string;
  readonly limit: number;
}
interface Page {
  readonly items: object[];
  readonly cursor: string | null;
}

/** Sites, cabinets and regions, as their actors know them: totals of the newest minute and who stands there. */
export function siteRoutes(app: FastifyInstance, engine: Engine, tables: TableReader): void {
  app.get<{ Querystring: ListQuery }>('/v1/sites', { schema: schemas.sites }, async ({ query }) => {
    const { search, cursor, limit } = query;
    return listed(
      search === undefined
        ? paged(engine, 'site', cursor, limit)
        : await searched(engine, tables, { ...query, search }),
    );
  });
  app.get<{ Params: { siteId: string } }>('/v1/sites/:siteId', { schema: schemas.site }, async (request) => {
    const { siteId } = request.params;
    return known(engine.summary('site', siteId), 'unknown_site', siteId);
  });
  app.get<{ Params: { siteId: string; cabinet: string } }>(
    '/v1/cabinets/:siteId/:cabinet',
    { schema: schemas.cabinet },
    async (request) => {
      const key = cabinetKey(request.params.siteId, request.params.cabinet);
      return known(engine.summary('cabinet', key), 'unknown_cabinet', key);
    },
  );
  app.get<{ Querystring: ListQuery }>('/v1/regions', { schema: schemas.regions }, async ({ query }) =>
    listed(paged(engine, 'region', query.cursor, query.limit)),
  );
  app.get<{ Params: { region: string } }>('/v1/regions/:region', { schema: schemas.region }, async (request) => {
    const { region } = request.params;
    return known(engine.summary('region', regionKey(region)), 'unknown_region', region);
  });
}

const CURSOR = /^\d+\.\d+\.\d+$/;

function paged(engine: Engine, kind: string, cursor: string | undefined, limit: number): Page {
  if (cursor !== undefined && !CURSOR.test(cursor)) {
    const detail = 'Give the cursor of the page before, with the same search.';
    throw new Problem(400, 'bad_cursor', detail, { errors: [{ pointer: '/querystring/cursor', detail }] });
  }
  return engine.summaries(kind, { cursor, limit });
}

/** Names of places are looked up in the table of who stood where: no actor is woken to see that it does not match. */
const MATCHING = `select distinct site_id from slot_occupancies
where contains(lower(site_id), lower(?)) and site_id > ? order by site_id limit ?`;

/** A page of the sites whose name holds a text, by name; the cursor is the last name of the page before. */
async function searched(engine: Engine, tables: TableReader, query: ListQuery & { search: string }): Promise<Page> {
  const { rows } = await tables.query(MATCHING, [query.search, query.cursor ?? '', query.limit + 1], query.limit + 1);
  const names = rows.map(([name]) => String(name)).slice(0, query.limit);
  const items = names.map((name) => engine.summary('site', name)).filter((one) => one !== null);
  return { items, cursor: rows.length > query.limit ? names[names.length - 1] : null };
}

/** Lists leave out who belongs to a place: it may be thousands. */
function listed({ items, cursor }: Page): Page {
  return {
    items: items.map((one) => Object.fromEntries(Object.entries(one).filter(([name]) => !LONG.has(name)))),
    cursor,
  };
}
const LONG: ReadonlySet<string> = new Set(['members', 'sites']);

function known(found: object | null, code: string, key: string): object {
  if (found === null) throw new Problem(404, code, `No asset that stands at ${JSON.stringify(key)} has told anything.`);
  return found;
}
