import {
  answers,
  count,
  incomplete,
  list,
  map,
  object,
  orNull,
  problem,
  text,
  time,
  timeOrNull,
} from './schema-parts.ts';

const anyNumber = { type: ['number', 'null'] } as const;
const totalsOf = (table: string, counts: readonly string[]) => ({
  type: 'object',
  required: ['minute', 'oldestAgeMs', ...counts],
  properties: { minute: time, oldestAgeMs: anyNumber, ...Object.fromEntries(counts.map((name) => [name, count])) },
  additionalProperties: { description: `Columns of ${table} (docs/tables.md); null where nobody can tell` },
});
const siteListing = {
  siteId: text,
  asOf: timeOrNull,
  totals: totalsOf('site_rollups', ['membersExpected', 'membersFresh']),
  grid: { type: 'string', enum: ['tied', 'islanded'] },
  gatewaySilentSince: timeOrNull,
  slotConflicts: list({ type: 'object', additionalProperties: true }),
  beyondHorizon: { ...count, description: 'Contributions that came too late to change a row' },
};
const siteSummary = object({
  ...siteListing,
  members: list(
    object({
      serial: text,
      kind: text,
      slot: text,
      since: time,
      operation: orNull('string'),
      fresh: { type: 'boolean' },
      lastDeviceTime: timeOrNull,
      powerW: anyNumber,
      soc: anyNumber,
    }),
  ),
});
const cabinetSummary = object({
  cabinet: { type: 'string', description: 'siteId/cabinet' },
  asOf: timeOrNull,
  minute: time,
  stallsExpected: count,
  stallsFresh: count,
  powerW: anyNumber,
  offeredW: anyNumber,
  requestedW: anyNumber,
  limitW: anyNumber,
  state: { type: 'string', enum: ['Off', 'Standby', 'Supplying', 'Derated', 'Faulted'] },
  stallsByState: map(count),
  inhibited: { type: 'boolean', description: 'It holds all its stalls back' },
  overallocated: { type: 'boolean', description: 'Its stalls are offered more than it can give' },
});
const regionListing = {
  region: text,
  asOf: timeOrNull,
  totals: totalsOf('region_rollups', ['sites', 'sitesUnknown', 'membersExpected', 'membersFresh']),
  gridEvents: list({ type: 'object', additionalProperties: true }),
};

/** Pages of places; `search` where their names can be looked up. */
const placeQuery = {
  cursor: { type: 'string', minLength: 1, maxLength: 128, description: '`cursor` of the page before' },
  limit: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
};
const placeParams = (...names: readonly string[]) => ({
  type: 'object',
  required: names,
  properties: Object.fromEntries(names.map((name) => [name, { type: 'string', minLength: 1, maxLength: 128 }])),
});

/** Sites, their power cabinets, and the regions above them. */
export const placeSchemas = {
  sites: {
    tags: ['fleet'],
    summary: 'Sites, a page at a time',
    querystring: object(
      {
        search: {
          type: 'string',
          maxLength: 128,
          description: 'Text that the name of the site holds, case ignored; the list is then in order of names',
        },
        ...placeQuery,
      },
      ['search', 'cursor', 'limit'],
    ),
    response: answers(
      'A page of sites',
      object({ items: list(object(siteListing)), cursor: orNull('string'), incomplete }, ['incomplete']),
    ),
  },
  site: {
    tags: ['fleet'],
    summary: 'One site: totals of its newest minute, its members, its grid',
    params: placeParams('siteId'),
    response: answers('The site', siteSummary, { 404: problem('No such site') }),
  },
  cabinet: {
    tags: ['fleet'],
    summary: 'One power cabinet of a charging site: what its stalls draw together',
    params: placeParams('siteId', 'cabinet'),
    response: answers('The cabinet', cabinetSummary, { 404: problem('No such cabinet') }),
  },
  regions: {
    tags: ['fleet'],
    summary: 'Regions, a page at a time',
    querystring: object(placeQuery, ['cursor', 'limit']),
    response: answers(
      'A page of regions',
      object({ items: list(object(regionListing)), cursor: orNull('string'), incomplete }, ['incomplete']),
    ),
  },
  region: {
    tags: ['fleet'],
    summary: 'One region: totals of its newest minute, its sites, its grid',
    params: placeParams('region'),
    response: answers('The region', object({ ...regionListing, sites: list(text) }), {
      404: problem('No such region'),
    }),
  },
} as const;
