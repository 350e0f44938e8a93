import Fastify from 'fastify';
import { EMPTY_REGISTRY, SchemaRegistry } from '../../../codec/registry/registry.ts';
import { createGuard } from '../../http/guard.ts';
import { compileRequest } from '../../http/validate.ts';
import { registryRoutes } from '../routes.ts';

export interface TestRegistry {
  readonly registry: SchemaRegistry;
  /** For instance `http://127.0.0.1:40123/registry`. */
  readonly url: string;
  /** Called before each request; where it returns an answer, that is given instead of the registry's. */
  intercept: (path: string) => Promise<{ status: number; body: string } | undefined>;
  /** Requests that came in, as `METHOD path`. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** The registry's routes behind a real server on a free port, or on `port`. */
export async function startTestRegistry(
  options: { registry?: SchemaRegistry; authToken?: string; port?: number } = {},
): Promise<TestRegistry> {
  const registry = options.registry ?? new SchemaRegistry(EMPTY_REGISTRY, () => {});
  const app = Fastify({ bodyLimit: 1024 * 1024, forceCloseConnections: true });
  app.setValidatorCompiler(({ schema, httpPart }) => compileRequest(schema as object, httpPart));
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  const requests: string[] = [];
  let running: TestRegistry | undefined;
  app.addHook('onRequest', async (request, reply) => {
    requests.push(`${request.method} ${request.url}`);
    const instead = await running?.intercept(request.url);
    if (instead !== undefined) return reply.code(instead.status).send(instead.body);
  });
  const guard = createGuard({ host: '127.0.0.1', authToken: options.authToken });
  await app.register((doors, _options, done) => {
    registryRoutes(doors, registry, guard);
    done();
  });
  const address = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  running = {
    registry,
    url: `${address}/registry`,
    requests,
    intercept: async () => undefined,
    close: () => app.close(),
  };
  return running;
}
