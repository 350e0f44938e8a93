import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';

/** The files of the page: read once at start; no path is ever made from what a request says. */
const files = [
  { route: '/', file: 'index.html', type: 'text/html; charset=utf-8' },
  { route: '/style.css', file: 'style.css', type: 'text/css; charset=utf-8' },
  { route: '/favicon.svg', file: 'favicon.svg', type: 'image/svg+xml' },
  ...[
    'app',
    'api',
    'asset',
    'chart',
    'diagram',
    'dom',
    'fleet',
    'format',
    'kinds',
    'live',
    'pipeline',
    'site',
    'sites',
    'tiles',
    'timeline',
  ].map((name) => ({ route: `/${name}.js`, file: `${name}.js`, type: 'text/javascript; charset=utf-8' })),
] as const;

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Serves the page from `folder` (web/). Throws at start when a file is missing. */
export function pageRoutes(app: FastifyInstance, folder: URL): void {
  for (const { route, file, type } of files) {
    const content = readFileSync(new URL(file, folder));
    const tag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
    app.get(route, { schema: { hide: true } }, async (request, reply) => {
      reply.headers({ 'content-security-policy': policy, 'cache-control': 'no-cache', etag: tag });
      if (request.headers['if-none-match'] === tag) return reply.code(304).send();
      return reply.type(type).send(content);
    });
  }
}
