import swagger from '@fastify/swagger';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import type { SchemaRegistry } from '../codec/registry/registry.ts';
import type { Clock } from '../runtime/kernel/clock.ts';
import { GridfoldError } from '../runtime/kernel/errors.ts';
import type { Engine, TableReader } from '../runtime/system/engine.ts';
import type { Metrics } from '../runtime/system/metrics.ts';
import { assetRoutes } from './http/assets.ts';
import { createGuard, type Guard } from './http/guard.ts';
import { healthRoutes } from './http/health.ts';
import { type Classify, type IngestDoor, ingestRoutes } from './http/ingest.ts';
import {
  type AuditReport,
  type DeadLetterPage,
  type DeadLetterQuery,
  type MachineDiagram,
  operationRoutes,
} from './http/operations.ts';
import { pageRoutes } from './http/pages.ts';
import { siteRoutes } from './http/sites.ts';
import { answerProblem, Problem } from './http/problem.ts';
import { engineOfSet, type Reprocessor, reprocessRoutes } from './http/reprocess.ts';
import { schemas } from './http/schemas.ts';
import { compileRequest } from './http/validate.ts';
import { Peers } from './members/peers.ts';
import { asyncApi } from './live/asyncapi.ts';
import { registryRoutes } from './registry/routes.ts';
import { type LiveLimits, LiveGateway } from './live/gateway.ts';

/** Options of the doors. Bytes and milliseconds as the names say. */
export interface ServerConfig {
  /** @default 127.0.0.1 */
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** When set, every `/v1` and `/metrics` request needs it as bearer token. */
  readonly authToken?: string;
  /** A second accepted token, for programs of the same user that read it from the data folder. */
  readonly localToken?: string;
  /** @default 16 MiB */
  readonly maxBodyBytes?: number;
  /** Ingest bodies at a time, before 429. @default 8 */
  readonly maxIngestBodies?: number;
  /** Open TCP connections. @default 1024 */
  readonly maxConnections?: number;
  /** Requests being answered, before 503. @default 256 */
  readonly maxRequests?: number;
  readonly live?: Partial<LiveLimits>;
}

export interface ServerOptions {
  readonly engine: Engine;
  readonly tables: TableReader;
  readonly config: ServerConfig;
  readonly classify: Classify;
  /** Served under `/registry`; absent: there is none. */
  readonly registry?: SchemaRegistry;
  readonly log: FastifyBaseLogger;
  readonly metrics: Metrics;
  readonly machines: readonly MachineDiagram[];
  /** What keeps the log from answering, for readiness; null while nothing does. */
  readonly trouble?: () => string | null;
  readonly audit: () => Promise<AuditReport>;
  readonly deadLetters: (query: DeadLetterQuery) => Promise<DeadLetterPage>;
  /** Absent: nothing is reprocessed here, and there are no doors for it. */
  readonly reprocess?: Reprocessor;
  /** @default package version, shown in the API documents */
  readonly version?: string;
  readonly clock?: Clock;
}

export type {
  AuditReport,
  DeadLetterPage,
  DeadLetterQuery,
  DeadLetterView,
  MachineDiagram,
} from './http/operations.ts';
export type { Classify } from './http/ingest.ts';

export interface Server {
  /** For instance `http://127.0.0.1:4343`. */
  readonly url: string;
  /** Says goodbye to live sessions, finishes open requests, closes the port. */
  close(): Promise<void>;
}

/**
 * Opens the doors: HTTP, the live WebSocket and the page. Resolves when the port listens.
 * Throws `port_in_use` or `port_unavailable` (fix-configuration) when it cannot.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { config, engine, metrics } = options;
  const guard = createGuard({ ...config, advertised: () => engine.self.url });
  const peers = new Peers({ authToken: config.authToken, outcome: metrics.forwarded });
  const group = { engine, peers };
  let url = '';
  const app = createApp(config, options.log);
  const live = new LiveGateway({
    engine,
    guard,
    authToken: config.authToken,
    log: options.log,
    metrics: metrics.live,
    limits: config.live,
    clock: options.clock,
  });

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Gridfold',
        version: options.version ?? '0',
        description: 'State, lifecycle and facts of energy assets. Live updates: /asyncapi.json.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    },
  });
  guardRoutes(app, guard, config);
  await app.register((doors, _options, done) => {
    healthRoutes(doors, engine, { scrape: () => metrics.scrape(), trouble: options.trouble ?? (() => null) });
    assetRoutes(doors, group, options.tables);
    siteRoutes(doors, group, options.tables);
    operationRoutes(doors, { ...options, group, url: () => engine.self.url || url, live: () => live.counts() });
    if (options.reprocess !== undefined) reprocessRoutes(doors, options.reprocess);
    doors.get('/openapi.json', { schema: schemas.document }, async () => app.swagger());
    doors.get('/asyncapi.json', { schema: schemas.document }, async () => asyncApi(options.version ?? '0'));
    pageRoutes(doors, new URL('../web/', import.meta.url));
    done();
  });
  await app.register((doors, _options, done) => {
    takeRawBodies(doors);
    ingestRoutes(doors, ingestDoors(options), options.classify, {
      maxBodyBytes: config.maxBodyBytes ?? 16 * 1024 * 1024,
      maxIngestBodies: config.maxIngestBodies ?? 8,
    });
    done();
  });
  const { registry } = options;
  if (registry !== undefined) {
    await app.register((doors, _options, done) => {
      registryRoutes(doors, registry, guard);
      done();
    });
  }
  live.attach(app.server);

  url = await listen(app, config);
  return {
    url,
    async close() {
      live.close();
      await app.close();
      peers.close();
    },
  };
}

function ingestDoors({ engine, reprocess }: ServerOptions): IngestDoor[] {
  const live = { path: '/v1', engine: () => engine };
  if (reprocess === undefined) return [live];
  const nameOf = ({ params }: FastifyRequest) => (params as { name: string }).name;
  const ofSet = (request: FastifyRequest) => engineOfSet(reprocess, nameOf(request));
  return [live, { path: `${REPROCESS}/:name`, engine: ofSet }];
}

function createApp(config: ServerConfig, log: FastifyBaseLogger): FastifyInstance {
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 1024 * 1024,
    requestTimeout: 120_000,
    keepAliveTimeout: 30_000,
    routerOptions: { maxParamLength: 256 },
    forceCloseConnections: true,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    http: { headersTimeout: 10_000, maxHeaderSize: 16 * 1024 },
  });
  app.server.maxConnections = config.maxConnections ?? 1024;
  app.setValidatorCompiler(({ schema, httpPart }) => compileRequest(schema as object, httpPart));
  // Answers are written as they are; a test compares them with the schemas. A serializer that coerces would hide faults.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler(answerProblem);
  app.setNotFoundHandler((request, reply) => {
    answerProblem(
      new Problem(404, 'not_found', 'There is nothing here; /openapi.json lists what there is.'),
      request,
      reply,
    );
  });
  return app;
}

const privileged = new Set(['/v1/sql', '/v1/settle']);
const REPROCESS = '/v1/reprocess';
const isPrivileged = (path: string) => privileged.has(path) || path.startsWith(REPROCESS);

/** Hooks that run before any body is read: limits, host, origin, token. */
function guardRoutes(app: FastifyInstance, guard: Guard, config: ServerConfig): void {
  const maxRequests = config.maxRequests ?? 256;
  let open = 0;
  app.addHook('onRequest', async (request, reply) => {
    open += 1;
    reply.raw.once('close', () => {
      open -= 1;
    });
    reply.headers({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    if (open > maxRequests) throw new Problem(503, 'busy', 'Too many requests are open.', { retryAfterS: 1 });
    guard.checkOrigin(request.raw);
    const path = request.routeOptions.url ?? '';
    if (isPrivileged(path)) guard.checkPrivileged(request.headers.authorization);
    else if (path.startsWith('/v1/') || path === '/metrics') guard.checkToken(request.headers.authorization);
  });
}

/** Bodies of records are read by the route itself, with their own bound. */
function takeRawBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const types = ['application/x-ndjson', 'application/ndjson', 'application/jsonl', 'application/json'];
  app.addContentTypeParser(types, (_request, payload, done) => done(null, payload));
}

async function listen(app: FastifyInstance, config: ServerConfig): Promise<string> {
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (cause) {
    await app.close();
    const isInUse = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
    const message = isInUse
      ? `another process listens on ${config.host}:${config.port}; choose another port, 0 picks a free one`
      : `cannot listen on ${config.host}:${config.port}: ${(cause as Error).message}`;
    throw new GridfoldError(isInUse ? 'port_in_use' : 'port_unavailable', 'fix-configuration', message, { cause });
  }
  const address = app.server.address();
  const port = address !== null && typeof address === 'object' ? address.port : config.port;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  return `http://${host}:${port}`;
}
