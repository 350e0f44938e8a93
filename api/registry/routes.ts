import type { FastifyInstance } from 'fastify';
import { LEVELS, type Level } from '../../codec/registry/compatibility.ts';
import type { SchemaRegistry, SubjectVersion } from '../../codec/registry/registry.ts';
import { SCHEMA_TYPES, type SchemaText, type SchemaType } from '../../codec/registry/schema-type.ts';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { Guard } from '../http/guard.ts';
import { answerFault, CONTENT_TYPE } from './answers.ts';
import { registrySchemas as schemas } from './schemas.ts';

interface SubjectParams {
  readonly subject: string;
}
interface VersionParams extends SubjectParams {
  readonly version: string;
}
interface SchemaBody {
  readonly schema: string;
  readonly schemaType?: SchemaType | null;
}

/**
 * The registry under `/registry`, with the HTTP interface of Confluent's, so that its clients and serializers work
 * unchanged: for development and tests, and where there is no other. To be registered in a context of its own: it has its
 * own content types and form of faults.
 */
export function registryRoutes(app: FastifyInstance, registry: SchemaRegistry, guard: Guard): void {
  app.setErrorHandler(answerFault);
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser(/^application\/vnd\.schemaregistry(\.v1)?\+json/, { parseAs: 'string' }, parse);
  app.addContentTypeParser('application/octet-stream', { parseAs: 'string' }, parse);
  app.addHook('onRequest', async (request) => guard.checkToken(asBearer(request.headers.authorization)));
  app.addHook('onSend', async (_request, reply) => {
    reply.type(CONTENT_TYPE);
  });
  app.get('/registry', { schema: schemas.root }, async () => ({}));
  app.get('/registry/schemas/types', { schema: schemas.types }, async () => SCHEMA_TYPES);
  schemaRoutes(app, registry);
  subjectRoutes(app, registry);
  levelRoutes(app, registry);
}

function schemaRoutes(app: FastifyInstance, registry: SchemaRegistry): void {
  app.get<{ Params: { id: number } }>('/registry/schemas/ids/:id', { schema: schemas.schema }, async ({ params }) => {
    const { schema, schemaType } = registry.schema(params.id);
    return { schema, ...named(schemaType) };
  });
  app.get<{ Params: { id: number } }>(
    '/registry/schemas/ids/:id/schema',
    { schema: schemas.schemaText },
    async ({ params }) => registry.schema(params.id).schema,
  );
  app.get<{ Params: { id: number } }>(
    '/registry/schemas/ids/:id/versions',
    { schema: schemas.uses },
    async ({ params }) => registry.uses(params.id),
  );
}

function subjectRoutes(app: FastifyInstance, registry: SchemaRegistry): void {
  const subjects = '/registry/subjects';
  app.get(subjects, { schema: schemas.subjects }, async () => registry.subjects);
  app.get<{ Params: SubjectParams }>(`${subjects}/:subject/versions`, { schema: schemas.versions }, async (request) =>
    registry.versions(request.params.subject),
  );
  app.get<{ Params: VersionParams }>(
    `${subjects}/:subject/versions/:version`,
    { schema: schemas.version },
    async ({ params }) => shown(registry.version(params.subject, versionOf(params.version))),
  );
  app.post<{ Params: SubjectParams; Body: SchemaBody }>(
    `${subjects}/:subject`,
    { schema: schemas.find },
    async ({ params, body }) => shown(registry.find(params.subject, textOf(body))),
  );
  app.post<{ Params: SubjectParams; Body: SchemaBody }>(
    `${subjects}/:subject/versions`,
    { schema: schemas.register },
    async ({ params, body }) => ({ id: registry.register(params.subject, textOf(body)) }),
  );
  const compatibility = '/registry/compatibility/subjects/:subject/versions';
  app.post<{ Params: VersionParams; Body: SchemaBody }>(
    `${compatibility}/:version`,
    { schema: schemas.compatibility },
    async ({ params, body }) =>
      verdict(registry.incompatibilities(params.subject, textOf(body), versionOf(params.version))),
  );
  app.post<{ Params: SubjectParams; Body: SchemaBody }>(
    compatibility,
    { schema: schemas.compatibilityWithAll },
    async ({ params, body }) => verdict(registry.incompatibilities(params.subject, textOf(body))),
  );
}

function levelRoutes(app: FastifyInstance, registry: SchemaRegistry): void {
  app.get('/registry/config', { schema: schemas.level }, async () => ({ compatibilityLevel: registry.level() }));
  app.get<{ Params: SubjectParams }>(
    '/registry/config/:subject',
    { schema: schemas.subjectLevel },
    async (request) => ({
      compatibilityLevel: registry.level(request.params.subject),
    }),
  );
  const set = (wanted: string, subject?: string) => {
    const compatibility = levelOf(wanted);
    registry.setLevel(compatibility, subject);
    return { compatibility };
  };
  app.put<{ Body: { compatibility: string } }>('/registry/config', { schema: schemas.setLevel }, async ({ body }) =>
    set(body.compatibility),
  );
  app.put<{ Params: SubjectParams; Body: { compatibility: string } }>(
    '/registry/config/:subject',
    { schema: schemas.setSubjectLevel },
    async ({ params, body }) => set(body.compatibility, params.subject),
  );
}

/** Clients of registries often know basic authentication alone: then the password is the token. */
function asBearer(authorization: string | undefined): string | undefined {
  const basic = /^Basic ([A-Za-z0-9+/=]{1,1024})$/i.exec(authorization ?? '')?.[1];
  if (basic === undefined) return authorization;
  const pair = Buffer.from(basic, 'base64').toString('utf8');
  return `Bearer ${pair.slice(pair.indexOf(':') + 1)}`;
}

const textOf = ({ schema, schemaType }: SchemaBody): SchemaText => ({ schema, schemaType: schemaType ?? 'AVRO' });

/** AVRO goes without saying. */
const named = (schemaType: SchemaType) => (schemaType === 'AVRO' ? {} : { schemaType });

const shown = ({ subject, version, id, schemaType, schema }: SubjectVersion) => ({
  subject,
  version,
  id,
  ...named(schemaType),
  schema,
});

const versionOf = (text: string): number | 'latest' => (text === 'latest' || text === '-1' ? 'latest' : Number(text));

const verdict = (messages: readonly string[]) => ({ is_compatible: messages.length === 0, messages });

function levelOf(text: string): Level {
  const level = LEVELS.find((one) => one === text);
  if (level !== undefined) return level;
  throw new GridfoldError('schema_level_invalid', 'fix-configuration', `compatibility is one of ${LEVELS.join(', ')}`);
}
