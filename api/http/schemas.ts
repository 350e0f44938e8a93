import { placeSchemas } from './place-schemas.ts';
import {
  answers,
  count,
  incomplete,
  json,
  list,
  map,
  number,
  object,
  orNull,
  problem,
  text,
  time,
  timeOrNull,
} from './schema-parts.ts';

/** JSON schemas of the HTTP door. Requests are validated by these same objects; OpenAPI is generated from them. */

const notFound = { 404: problem('No such asset') };

const serialParam = {
  type: 'object',
  required: ['serial'],
  properties: { serial: { type: 'string', minLength: 1, maxLength: 128 } },
} as const;
const positionPattern = '^(telemetry|lifecycle):\\d{1,6}:\\d{1,15}(,(telemetry|lifecycle):\\d{1,6}:\\d{1,15}){0,63}$';
const minPos = {
  type: 'string',
  maxLength: 2_000,
  pattern: positionPattern,
  description: 'Wait until these positions (topic:partition:next, comma separated, as ingest answers them) are folded',
} as const;
const waitMs = {
  type: 'integer',
  minimum: 0,
  maximum: 30_000,
  default: 5_000,
  description: 'How long minPos may wait, ms',
};

export const assetSchema = object({
  serial: text,
  kind: text,
  siteId: orNull('string'),
  slot: orNull('string'),
  status: text,
  regions: map(object({ state: text, since: timeOrNull })),
  derates: list(text),
  values: map(object({ value: {}, deviceTime: text, valid: { type: 'boolean' } })),
  energy: object({ inWh: number, outWh: number }),
  counts: object({ applied: count, duplicate: count, late: count, invalid: count }),
  revision: count,
  position: object({ partition: count, telemetry: count, lifecycle: count, timers: count }),
  eventTime: timeOrNull,
  recordTime: timeOrNull,
});

const neighbour = orNull('object', {
  required: ['serial', 'told'],
  properties: {
    serial: text,
    told: {
      enum: ['record', 'slot'],
      description: '`record`: a lifecycle record of either asset says so; `slot`: it held the slot next to this one',
    },
  },
  additionalProperties: false,
});
const dwell = map(
  object({
    ms: { ...count, description: 'Time in it up to `asOf`, ms' },
    entries: count,
    since: { ...timeOrNull, description: 'Since when it lasts; null where it was left' },
  }),
);
/** A life as a whole; projections of the one lifecycle state. */
const lifeStory = {
  asOf: time,
  state: { ...orNull('string'), description: 'State of the region lifecycle; null before the first record' },
  since: timeOrNull,
  phase: { enum: ['manufactured', 'shipped', 'received', 'deployed', 'retired', 'disposed', null] },
  deployment: {
    enum: ['notYetInstalled', 'installed', 'inService', 'outOfService', 'removed', null],
    description: 'DeploymentStateKind of IEC CIM',
  },
  siteId: orNull('string'),
  slot: orNull('string'),
  installEpoch: { ...count, description: 'How often it was installed' },
  lifecycleDate: object({
    manufacturedDate: timeOrNull,
    receivedDate: timeOrNull,
    installationDate: timeOrNull,
    removalDate: timeOrNull,
    retiredDate: timeOrNull,
  }),
  deploymentDate: object({
    installedDate: timeOrNull,
    inServiceDate: timeOrNull,
    outOfServiceDate: timeOrNull,
    removedDate: timeOrNull,
  }),
  dwell: object({ states: dwell, phases: dwell }),
  counts: object({
    records: count,
    review: { ...count, description: 'Records that the state did not foresee' },
    voided: { ...count, description: 'Records that others correct or take back' },
    installations: count,
    commissionings: count,
    maintenances: count,
    suspensions: count,
    firmwareUpdates: { ...count, description: 'Attempts by record' },
  }),
  installations: list(
    object({
      installEpoch: count,
      siteId: text,
      slot: text,
      cabinet: orNull('string'),
      region: orNull('string'),
      fromTime: time,
      toTime: timeOrNull,
      replaces: neighbour,
      replacedBy: neighbour,
    }),
  ),
  replaces: { ...neighbour, description: 'Of the newest installation' },
  replacedBy: { ...neighbour, description: 'Of the newest installation' },
};

const derivedEvent = object({
  id: text,
  type: text,
  serial: text,
  kind: text,
  siteId: orNull('string'),
  eventTime: time,
  recordTime: time,
  key: text,
  version: count,
  op: { enum: ['upsert', 'retract'] },
  machine: text,
  data: { type: 'object', additionalProperties: true },
});

const eventPage = object({
  items: list(derivedEvent),
  next: orNull('string', { description: 'Give as `before` for the page before; null at the end' }),
});

const eventQuery = {
  before: { type: 'string', maxLength: 64, format: 'date-time', description: 'Only events before this event time' },
  limit: { type: 'integer', minimum: 1, maximum: 1_000, default: 100 },
};

const owner = { type: 'string', description: 'URL of the process' } as const;
const fleetKind = object({
  assets: count,
  powerW: number,
  energyTodayOutWh: number,
  energyTodayInWh: number,
  status: map(count),
});

const ingestAnswer = object({
  accepted: count,
  refused: count,
  errors: list(object({ line: { type: 'integer', minimum: 1 }, reason: text, detail: text })),
  errorsTruncated: { type: 'boolean', description: 'There were more refused lines than errors listed' },
  positions: { type: 'array', items: { type: 'string', pattern: '^(telemetry|lifecycle):\\d+:\\d+$' } },
});

const ingest = (summary: string, example: object) => ({
  tags: ['ingest'],
  summary,
  description:
    'One record per line (application/x-ndjson) or a JSON array (application/json). Answers when the log holds the ' +
    'records. A refused line does not stop the others: it goes to the dead letters with its bytes and a reason.',
  consumes: ['application/x-ndjson', 'application/json'],
  response: answers('What became of the records', ingestAnswer, {
    413: problem('The body is too large'),
    415: problem('Neither NDJSON nor JSON'),
    429: problem('Too many bodies are being read; Retry-After says when to send again'),
  }),
  'x-example': example,
});

export const schemas = {
  telemetry: ingest('Take readings', {
    serial: 'PW-0001',
    kind: 'powerwall',
    deviceTime: '2022-07-08T02:00:00-07:00',
    fields: { powerW: -1500, soc: 0.71 },
  }),
  lifecycle: ingest('Take lifecycle records', {
    id: 'erp-88-17',
    serial: 'PW-0001',
    kind: 'powerwall',
    type: 'installed',
    eventTime: '2022-01-03T15:00:00-08:00',
    data: { siteId: 'S-42', position: 'battery-1' },
  }),
  settle: {
    tags: ['ingest'],
    summary: 'Wait until everything is folded, published and committed by every sink, in all processes',
    querystring: object({ timeoutMs: { type: 'integer', minimum: 0, maximum: 600_000, default: 60_000 } }, [
      'timeoutMs',
    ]),
    response: answers('All input is settled', object({ settled: { const: true } })),
  },
  assets: {
    tags: ['assets'],
    summary: 'List assets',
    querystring: object(
      {
        kind: { type: 'string', maxLength: 64 },
        status: { type: 'string', maxLength: 64 },
        siteId: { type: 'string', maxLength: 128 },
        filter: {
          type: 'string',
          maxLength: 2_000,
          description: 'RQL, for instance and(eq(state.operation,Charging),gt(values.soc,0.9))',
        },
        limit: { type: 'integer', minimum: 1, maximum: 1_000, default: 100 },
        cursor: { type: 'string', maxLength: 512 },
      },
      ['kind', 'status', 'siteId', 'filter', 'limit', 'cursor'],
    ),
    response: answers(
      'A page of assets; one that is not full may have more behind its cursor',
      object({ items: list(assetSchema), cursor: orNull('string'), incomplete }, ['incomplete']),
    ),
  },
  asset: {
    tags: ['assets'],
    summary: 'The state of one asset',
    params: serialParam,
    querystring: object({ minPos, timeoutMs: waitMs }, ['minPos', 'timeoutMs']),
    response: answers('The asset; ETag is its revision, X-Position what is folded', assetSchema, {
      304: { description: 'Unchanged since the revision in If-None-Match', type: 'null' },
      ...notFound,
    }),
  },
  assetLifecycle: {
    tags: ['assets'],
    summary: "An asset's life: phase, dates, dwell times, installations, and its records with what each did",
    params: serialParam,
    response: answers(
      'The life; items are the records in folding order',
      object({
        serial: text,
        ...lifeStory,
        items: list(
          object({
            id: text,
            type: text,
            eventTime: time,
            recordTime: time,
            source: text,
            data: { type: 'object', additionalProperties: true },
            from: orNull('string'),
            to: orNull('string'),
            legal: { type: 'boolean' },
            review: { ...orNull('string'), description: 'Why it waits for review; null where it is legal' },
            voided: { type: 'boolean' },
          }),
        ),
      }),
      notFound,
    ),
  },
  transitions: {
    tags: ['assets'],
    summary: "An asset's state transitions, newest first",
    params: serialParam,
    querystring: object(eventQuery, ['before', 'limit']),
    response: answers('A page of transitions', eventPage, notFound),
  },
  events: {
    tags: ['assets'],
    summary: "An asset's derived events, newest first",
    params: serialParam,
    querystring: object({ type: { type: 'string', maxLength: 64, pattern: '^[a-z_]+$' }, ...eventQuery }, [
      'type',
      'before',
      'limit',
    ]),
    response: answers('A page of events', eventPage, notFound),
  },
  ...placeSchemas,
  fleet: {
    tags: ['fleet'],
    summary: 'Counts by kind and status, power now, energy today',
    response: answers(
      'The fleet',
      object({ at: time, assets: count, kinds: map(fleetKind), incomplete }, ['incomplete']),
    ),
  },
  pipeline: {
    tags: ['operations'],
    summary: 'Partitions, sinks and live sessions of all processes',
    response: answers(
      'The pipeline',
      object(
        {
          ready: { type: 'boolean' },
          partitions: list(
            object({
              owner,
              actor: text,
              partition: count,
              phase: text,
              position: object({ telemetry: count, lifecycle: count, timers: count }),
              lag: object({ telemetry: count, lifecycle: count }),
              topics: object({ telemetry: text, lifecycle: text }),
              assets: count,
              snapshotAgeMs: orNull('number'),
              horizonMs: number,
            }),
          ),
          sinks: list(
            object({ owner, sink: text, lag: count, rows: count, lastCommitAt: timeOrNull, error: orNull('string') }),
          ),
          live: object({ connections: count, subscriptions: count }),
          incomplete,
        },
        ['incomplete'],
      ),
    ),
  },
  wait: {
    tags: ['operations'],
    summary: 'Wait until positions are folded, in whichever process',
    querystring: object({ minPos, timeoutMs: waitMs }, ['minPos', 'timeoutMs']),
    response: answers('They are', object({ folded: { const: true } })),
  },
  machines: {
    tags: ['fleet'],
    summary: 'The state machines of each kind',
    response: answers(
      'The machines',
      object({
        items: list(
          object({
            kind: text,
            machine: text,
            regions: list(
              object({
                name: text,
                initial: text,
                states: list(text),
                transitions: list(object({ from: text, to: text, event: text })),
              }),
            ),
          }),
        ),
      }),
    ),
  },
  sql: {
    tags: ['query'],
    summary: 'One read-only statement against the embedded tables',
    body: object(
      {
        sql: { type: 'string', minLength: 1, maxLength: 100_000 },
        limit: { type: 'integer', minimum: 1, maximum: 100_000, default: 10_000 },
        parameters: { type: 'array', maxItems: 1_000, default: [] },
      },
      ['limit', 'parameters'],
    ),
    response: answers(
      'The rows',
      object({
        columns: list(object({ name: text, type: text })),
        rows: list({ type: 'object', additionalProperties: true }),
        truncated: { type: 'boolean', description: 'There were more rows than the limit' },
      }),
    ),
  },
  audit: {
    tags: ['operations'],
    summary: 'Offsets and counts of every sink against the log',
    response: answers('What the auditor found; ok is false when anything is lost or doubled', {
      type: 'object',
      required: ['ok', 'sinks'],
      properties: { ok: { type: 'boolean' }, sinks: list({ type: 'object', additionalProperties: true }) },
      additionalProperties: true,
    }),
  },
  deadLetters: {
    tags: ['operations'],
    summary: 'Records that were set aside, newest first',
    querystring: object(
      {
        limit: { type: 'integer', minimum: 1, maximum: 1_000, default: 100 },
        reason: { type: 'string', maxLength: 64, pattern: '^[a-z_]+$' },
        before: { type: 'string', maxLength: 512, description: '`next` of the page before' },
      },
      ['limit', 'reason', 'before'],
    ),
    response: answers(
      'A page of dead letters',
      object({
        items: list(
          object({
            partition: count,
            offset: count,
            at: time,
            reason: text,
            serial: orNull('string'),
            source: orNull('string', {
              description: 'topic:partition:offset it was read from; null: a door refused it',
            }),
            bytes: count,
            value: { type: 'string', description: 'The original bytes, base64' },
          }),
        ),
        next: orNull('string'),
      }),
    ),
  },
  healthz: {
    tags: ['operations'],
    summary: 'The process runs',
    response: { 200: json('It does', object({ status: { const: 'ok' } })) },
  },
  readyz: {
    tags: ['operations'],
    summary: 'All partitions are live',
    response: {
      200: json('Ready', object({ status: { const: 'ready' } })),
      503: problem('Still recovering'),
    },
  },
  metrics: {
    tags: ['operations'],
    summary: 'Metrics in the Prometheus text format',
    response: {
      200: { description: 'The metrics', content: { 'text/plain': { schema: text } } },
      401: problem('The token is missing or wrong'),
    },
  },
  document: {
    tags: ['operations'],
    summary: 'This description',
    response: { 200: json('The document', { type: 'object', additionalProperties: true }) },
  },
} as const;
