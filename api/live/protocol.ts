/**
 * The live protocol `assetlive.v1.json`: frames as JSON schemas. The same objects validate what clients send, are
 * compared with what the server sends by a test, and make up /asyncapi.json.
 */

export const subprotocol = 'assetlive.v1.json';

/** Close codes; those of graphql-transport-ws where they say the same. */
export const closeCodes = {
  restart: { code: 1012, doc: 'The server is going away; `bye` says when to come back' },
  tryLater: { code: 1013, doc: 'Too many connections' },
  tooSlow: { code: 4008, doc: 'Nothing could be sent for 5 s' },
  badFrame: { code: 4400, doc: 'Frames that are not of this protocol' },
  unauthorized: { code: 4401, doc: 'Wrong token, or a frame before hello' },
  timeout: { code: 4408, doc: 'No hello within 10 s, or two heartbeats missed' },
  duplicateSubscription: { code: 4409, doc: 'The id of the subscription is in use' },
  tooMany: { code: 4429, doc: 'A second hello, or too many frames' },
} as const;

/** Bounds of the live door; every queue has one. Milliseconds and bytes as the names say. */
export interface LiveLimits {
  readonly connections: number;
  /** Subscriptions per connection. */
  readonly subs: number;
  /** Assets over all subscriptions of a connection. */
  readonly keys: number;
  /** Changed assets that wait for a slow connection; beyond it a gap is announced and a snapshot follows. */
  readonly queueKeys: number;
  /** Frames sent in one go to one connection. */
  readonly queueMsgs: number;
  /** Bytes a connection may have unsent before further deltas are held back and conflated per asset. */
  readonly queueBytes: number;
  /** Largest frame taken. */
  readonly frameBytes: number;
  /** Frames taken per second and connection. */
  readonly framesPerSecond: number;
  readonly helloTimeoutMs: number;
  readonly heartbeatMs: number;
  /** A connection that takes nothing for so long is closed with 4008. */
  readonly blockedMs: number;
  readonly flushMs: number;
}

export const defaultLimits: LiveLimits = {
  connections: 512,
  subs: 50,
  keys: 10_000,
  queueKeys: 5_000,
  queueMsgs: 1_000,
  queueBytes: 256 * 1024,
  frameBytes: 256 * 1024,
  framesPerSecond: 100,
  helloTimeoutMs: 10_000,
  heartbeatMs: 15_000,
  blockedMs: 5_000,
  flushMs: 50,
};

const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const subscriptionId = { type: 'string', minLength: 1, maxLength: 64 } as const;
const timeOrNull = { type: ['string', 'null'] } as const;

function frame(t: string, properties: Record<string, object>, optional: readonly string[] = []) {
  return {
    type: 'object',
    required: ['t', ...Object.keys(properties).filter((name) => !optional.includes(name))],
    properties: { t: { const: t }, ...properties },
    additionalProperties: false,
  } as const;
}

/** What clients send. */
export const clientFrames = {
  hello: frame(
    'hello',
    {
      v: { const: 1 },
      auth: { type: 'string', maxLength: 512, description: 'The token, where the server wants one' },
      caps: {
        type: 'array',
        maxItems: 16,
        items: { type: 'string', maxLength: 32 },
        description: '`local`: another process of the group, which names the partitions of each subscription',
      },
    },
    ['auth', 'caps'],
  ),
  sub: frame(
    'sub',
    {
      id: subscriptionId,
      select: {
        description: 'Either the assets by serial, or a filter (the grammar of GET /v1/assets)',
        type: 'object',
        minProperties: 1,
        maxProperties: 1,
        properties: {
          ids: {
            type: 'array',
            minItems: 1,
            maxItems: 10_000,
            items: { type: 'string', minLength: 1, maxLength: 128 },
          },
          filter: { type: 'string', maxLength: 2_000 },
        },
        additionalProperties: false,
      },
      fields: {
        description: 'Parts of the document: `status`, `state`, `state.operation`, `values.soc` …; all when absent',
        type: 'array',
        minItems: 1,
        maxItems: 64,
        items: { type: 'string', minLength: 1, maxLength: 128 },
      },
      stream: { const: 'state' },
      snapshot: { type: 'boolean', description: 'True when absent' },
      limit: { type: 'integer', minimum: 1, maximum: 10_000, description: 'Most assets the subscription may hold' },
      partitions: {
        description: 'Only with the capability `local`: partitions at work in this process',
        type: 'array',
        minItems: 1,
        maxItems: 10_000,
        items: count,
      },
    },
    ['fields', 'stream', 'snapshot', 'limit', 'partitions'],
  ),
  unsub: frame('unsub', { id: subscriptionId }),
  ping: frame('ping', { n: count }, ['n']),
  pong: frame('pong', { n: count }, ['n']),
} as const;

const position = {
  description: '[topic, partition, offset of the next record to fold]',
  type: 'array',
  minItems: 3,
  maxItems: 3,
} as const;
const stamped = { k: text, rev: count, et: timeOrNull, rt: timeOrNull, p: position } as const;
const anyObject = { type: 'object', additionalProperties: true } as const;

/** What the server sends. */
export const serverFrames = {
  hello: frame('hello', {
    v: { const: 1 },
    session: text,
    hb: { ...count, description: 'Heartbeat, ms' },
    limits: { type: 'object', additionalProperties: count },
  }),
  sub: frame('sub', {
    id: subscriptionId,
    cut: {
      description:
        'What was folded when the subscription began, by topic and partition, of the partitions in this process',
      ...anyObject,
    },
  }),
  snap: frame(
    'snap',
    {
      id: subscriptionId,
      last: {
        type: 'boolean',
        description:
          'Whole: all processes have given their part. Deltas of a part may come before the last chunk of another',
      },
      items: {
        type: 'array',
        items: {
          type: 'object',
          required: ['k', 'rev', 'et', 'rt', 'p', 'v'],
          properties: { ...stamped, v: anyObject },
          additionalProperties: false,
        },
      },
      members: { ...count, description: 'With the last chunk: assets the subscription holds' },
      truncated: { type: 'boolean', description: 'With the last chunk: more would match than the limit lets in' },
    },
    ['members', 'truncated'],
  ),
  d: frame(
    'd',
    {
      id: subscriptionId,
      seq: { ...count, description: 'Grows by one with each delta; a gap says what is skipped' },
      op: {
        enum: ['merge', 'put', 'enter', 'leave'],
        description: 'merge: `v` is an RFC 7396 patch of revision `base`; put and enter: `v` is everything',
      },
      base: count,
      v: anyObject,
      n: { ...count, description: 'Updates folded into this one, where more than one' },
      ...stamped,
    },
    ['base', 'v', 'n'],
  ),
  gap: frame('gap', {
    id: subscriptionId,
    why: {
      enum: ['overflow', 'rebalance'],
      description: 'rebalance: partitions went to another process, or theirs was lost',
    },
    from: count,
    to: count,
    next: { const: 'snapshot', description: 'Forget what you hold of this subscription: a snapshot follows' },
  }),
  unsub: frame('unsub', { id: subscriptionId }),
  ping: frame('ping', { n: count }),
  pong: frame('pong', { n: count }, ['n']),
  err: frame('err', { id: subscriptionId, code: text, msg: text, retryMs: count }, ['id', 'retryMs']),
  bye: frame('bye', { code: text, reconnectMs: count }, ['reconnectMs']),
} as const;

export type HelloFrame = { t: 'hello'; v: 1; auth?: string; caps?: string[] };
export type SubFrame = {
  t: 'sub';
  id: string;
  select: { ids?: string[]; filter?: string };
  fields?: string[];
  snapshot?: boolean;
  limit?: number;
  partitions?: number[];
};
export type ClientFrame =
  | HelloFrame
  | SubFrame
  | { t: 'unsub'; id: string }
  | { t: 'ping'; n?: number }
  | { t: 'pong'; n?: number };

export type ServerFrame = { readonly t: keyof typeof serverFrames } & Readonly<Record<string, unknown>>;
