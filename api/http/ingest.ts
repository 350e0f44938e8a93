import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { REASONS } from '../../codec/reasons.ts';
import type { Engine } from '../../runtime/system/engine.ts';
import { type BodyLine, readBody, recordsOf } from './lines.ts';
import { Problem } from './problem.ts';
import { schemas } from './schemas.ts';

export type InputTopic = 'telemetry' | 'lifecycle';

/** Decides about one line: the topic and key it belongs to, or why it is refused (codes: codec/reasons.ts). */
export type Classify = (
  line: Uint8Array,
) => { readonly topic: InputTopic; readonly key: string } | { readonly reason: string; readonly detail?: string };

export interface IngestConfig {
  readonly maxBodyBytes: number;
  /** Bodies read and appended at the same time; the next one is answered 429. */
  readonly maxIngestBodies: number;
}

interface RefusedLine {
  readonly line: number;
  readonly reason: string;
  readonly detail: string;
}

/** What a reason means, for a refusal that has no words of its own. */
const meanings = new Map<string, string>(REASONS.map((reason) => [reason.code, reason.doc]));

const recordsPerAppend = 2_000;
const errorsListed = 1_000;

/** Where records go that are posted below a path. */
export interface IngestDoor {
  /** For instance `/v1`. */
  readonly path: string;
  readonly engine: (request: FastifyRequest) => Engine;
}

/** `POST PATH/telemetry` and `PATH/lifecycle` of every door: answers when the log holds the records. */
export function ingestRoutes(
  app: FastifyInstance,
  doors: readonly IngestDoor[],
  classify: Classify,
  config: IngestConfig,
): void {
  let open = 0;
  const lock = async () => {
    if (open >= config.maxIngestBodies) {
      throw new Problem(429, 'too_many_bodies', `At most ${config.maxIngestBodies} bodies are read at a time.`, {
        retryAfterS: 1,
      });
    }
    open += 1;
  };
  const routes = doors.flatMap((door) => (['telemetry', 'lifecycle'] as const).map((topic) => ({ ...door, topic })));
  for (const { path, engine, topic } of routes) {
    app.post(`${path}/${topic}`, { schema: schemas[topic] }, async (request) => {
      await lock();
      try {
        const into = engine(request);
        const body = await readBody(request.body as Readable, config.maxBodyBytes);
        const format = request.headers['content-type']?.startsWith('application/json') ? 'json' : 'ndjson';
        return await take(topic, recordsOf(body, format), into, classify);
      } finally {
        open -= 1;
      }
    });
  }
}

async function take(topic: InputTopic, lines: Iterable<BodyLine>, engine: Engine, classify: Classify) {
  const next = new Map<number, number>();
  const errors: RefusedLine[] = [];
  let accepted = 0;
  let refused = 0;
  let records: { key: string; value: Uint8Array }[] = [];
  let letters: { value: Uint8Array; reason: string }[] = [];
  const flush = async () => {
    const [places] = await Promise.all([
      records.length > 0 ? engine.produce(topic, records) : [],
      letters.length > 0 ? engine.refuse(letters) : undefined,
    ]);
    for (const place of places) next.set(place.partition, Math.max(place.next, next.get(place.partition) ?? 0));
    accepted += records.length;
    refused += letters.length;
    records = [];
    letters = [];
  };
  for (const { number, bytes } of lines) {
    const verdict = judge(topic, classify(bytes));
    if ('key' in verdict) {
      records.push({ key: verdict.key, value: bytes });
    } else {
      letters.push({ value: bytes, reason: verdict.reason });
      if (errors.length < errorsListed) errors.push({ line: number, ...verdict });
    }
    if (records.length + letters.length >= recordsPerAppend) await flush();
  }
  await flush();
  return {
    accepted,
    refused,
    errors,
    errorsTruncated: refused > errors.length,
    positions: [...next].map(([partition, offset]) => `${topic}:${partition}:${offset}`),
  };
}

function judge(topic: InputTopic, found: ReturnType<Classify>): { key: string } | { reason: string; detail: string } {
  if (!('key' in found))
    return { reason: found.reason, detail: found.detail ?? meanings.get(found.reason) ?? found.reason };
  if (found.topic === topic) return found;
  return { reason: 'wrong_topic', detail: `This is a ${found.topic} record: POST it to /v1/${found.topic}.` };
}
