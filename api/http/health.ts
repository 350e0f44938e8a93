import type { FastifyInstance } from 'fastify';
import type { Engine } from '../../runtime/system/engine.ts';
import { Problem } from './problem.ts';
import { schemas } from './schemas.ts';

export interface HealthSources {
  scrape(): Promise<string>;
  /** What keeps the log from answering; null while nothing does. */
  trouble(): string | null;
}

/** Liveness, readiness and metrics. A sink that is down does not make the process unready: it shows in the lag. */
export function healthRoutes(app: FastifyInstance, engine: Engine, { scrape, trouble }: HealthSources): void {
  app.get('/healthz', { schema: schemas.healthz }, async () => ({ status: 'ok' }));
  app.get('/readyz', { schema: schemas.readyz }, async () => {
    const reason = trouble();
    if (reason !== null) throw new Problem(503, 'log_away', `The log does not answer: ${reason}`, { retryAfterS: 1 });
    if (!engine.status().ready) {
      throw new Problem(503, 'not_ready', 'Partitions are still recovering.', { retryAfterS: 1 });
    }
    return { status: 'ready' };
  });
  app.get('/metrics', { schema: schemas.metrics }, async (_request, reply) => {
    reply.type('text/plain; version=0.0.4; charset=utf-8');
    return scrape();
  });
}
