import type { FastifyInstance } from 'fastify';
import type { Engine } from '../../runtime/system/engine.ts';
import { Problem } from './problem.ts';
import { schemas } from './schemas.ts';

/** Sites, as their actors know them: totals of the newest minute and who stands there. */
export function siteRoutes(app: FastifyInstance, engine: Engine): void {
  app.get<{ Querystring: { cursor?: string; limit: number } }>(
    '/v1/sites',
    { schema: schemas.sites },
    async (request) => engine.summaries('site', request.query),
  );
  app.get<{ Params: { siteId: string } }>('/v1/sites/:siteId', { schema: schemas.site }, async (request) => {
    const { siteId } = request.params;
    const found = engine.summary('site', siteId);
    if (found === null) {
      throw new Problem(404, 'unknown_site', `No asset that stands at ${JSON.stringify(siteId)} has told anything.`);
    }
    return found;
  });
}
