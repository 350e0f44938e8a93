import type { FastifyReply, FastifyRequest } from 'fastify';
import { homeOf } from '../../runtime/system/assets.ts';
import { type Group, isForwarded, ownerOf } from './group.ts';

type Parameters = Readonly<Record<string, string>>;

const passedOn = ['accept', 'if-none-match'] as const;
const relayed = ['content-type', 'etag', 'x-position', 'cache-control', 'retry-after'] as const;

/**
 * For routes about one actor: goes on where its partition is at work here, else asks the owner, once, and relays its
 * answer. `keyOf` gives the actor's key from the parameters of the path.
 */
export function ownerAnswers(group: Group, keyOf: (parameters: Parameters) => string) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const { partition } = homeOf(keyOf(request.params as Parameters), group.engine.partitions);
    const owner = ownerOf(group, partition, isForwarded(request));
    if (owner === null) return;
    const query = request.query as Readonly<Record<string, unknown>>;
    const answer = await group.peers.ask(owner, {
      path: pathOf(request.routeOptions.url as string, request.params as Parameters, query),
      headers: pick(request.headers, passedOn),
      waitMs: query.minPos === undefined ? 0 : Number(query.timeoutMs),
    });
    reply.code(answer.status).headers(pick(answer.headers, relayed));
    return reply.send(answer.status === 304 ? undefined : answer.body);
  };
}

/** Path and query of a route with its parameters, encoded anew. */
export function pathOf(route: string, parameters: Parameters, query: Readonly<Record<string, unknown>>): string {
  const path = route.replaceAll(/:(\w+)/g, (_all, name: string) => encodeURIComponent(parameters[name]));
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return search === '' ? path : `${path}?${search}`;
}

function pick(headers: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, string> {
  const found = names.filter((name) => typeof headers[name] === 'string');
  return Object.fromEntries(found.map((name) => [name, headers[name] as string]));
}
