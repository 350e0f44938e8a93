import { type Clock, systemClock } from '../../runtime/kernel/clock.ts';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { SourceRecord } from '../record.ts';

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 10_000;
const PATHS = { telemetry: '/v1/telemetry', lifecycle: '/v1/lifecycle' } as const;
/** The door is there but cannot take it now; everything else that is not a success will not get better. */
const RETRIED_STATUSES = new Set([408, 429, 500, 502, 503, 504]);

export interface DoorOptions {
  /** Where the runtime listens, for instance `http://127.0.0.1:4343`. */
  readonly url: string;
  /** Bearer token. */
  readonly token?: string;
  readonly clock?: Clock;
  readonly fetch?: typeof fetch;
  /** Ends waiting and requests under way. */
  readonly signal: AbortSignal;
  onRetry?(reason: string, delayMs: number): void;
}

export interface Posted {
  readonly accepted: number;
  readonly refused: number;
  /** Why the first refused record was refused. */
  readonly reason: string | null;
}

/**
 * Puts records of one topic through the public door. Retries, with growing pauses or as long as the door says, until the
 * records are taken or `signal` ends; a batch that is too large is halved. Throws GridfoldError `sim_door_refused` when the
 * door will never take them (a wrong token, a wrong address), and the signal's reason when it ends.
 */
export async function post(records: readonly SourceRecord[], options: DoorOptions): Promise<Posted> {
  const { signal, clock = systemClock } = options;
  const path = PATHS[records[0].topic];
  const body = records.map((record) => `${JSON.stringify(record.value)}\n`).join('');
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    const answer = await request(path, body, options);
    if (answer.status === 413 && records.length > 1) return postHalves(records, options);
    if (answer.status !== null && !RETRIED_STATUSES.has(answer.status)) return judge(records.length, answer, path);
    const delayMs = answer.retryAfterMs ?? Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt);
    options.onRetry?.(answer.status === null ? String(answer.body) : `status ${answer.status}`, delayMs);
    await sleep(clock, delayMs, signal);
  }
}

async function postHalves(records: readonly SourceRecord[], options: DoorOptions): Promise<Posted> {
  const half = records.length >> 1;
  const first = await post(records.slice(0, half), options);
  const second = await post(records.slice(half), options);
  return {
    accepted: first.accepted + second.accepted,
    refused: first.refused + second.refused,
    reason: first.reason ?? second.reason,
  };
}

interface Answer {
  /** Null when there was none. */
  readonly status: number | null;
  readonly retryAfterMs: number | null;
  readonly body: unknown;
}

async function request(path: string, body: string, options: DoorOptions): Promise<Answer> {
  const headers: Record<string, string> = { 'content-type': 'application/x-ndjson' };
  if (options.token !== undefined) headers.authorization = `Bearer ${options.token}`;
  try {
    const address = new URL(path, options.url);
    const response = await (options.fetch ?? fetch)(address, { method: 'POST', headers, body, signal: options.signal });
    const text = await response.text();
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    return {
      status: response.status,
      retryAfterMs: seconds >= 0 ? Math.min(seconds * 1000, LONGEST_RETRY_MS) : null,
      body: parseJson(text),
    };
  } catch (error) {
    options.signal.throwIfAborted();
    const cause = (error as Error).cause;
    return {
      status: null,
      retryAfterMs: null,
      body: cause instanceof Error ? cause.message : (error as Error).message,
    };
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text.slice(0, 200);
  }
}

/** What became of the records: the door counts them, and names those that it refused with a reason each. */
function judge(count: number, answer: Answer, path: string): Posted {
  const body = (answer.body ?? {}) as { refused?: unknown; errors?: unknown };
  const status = answer.status as number;
  if (status >= 300) {
    const message = `${path} answered ${status}: ${JSON.stringify(answer.body)}`;
    throw new GridfoldError('sim_door_refused', 'fix-configuration', message);
  }
  const refused = typeof body.refused === 'number' ? body.refused : 0;
  const reason = Array.isArray(body.errors) && body.errors.length > 0 ? JSON.stringify(body.errors[0]) : null;
  return { accepted: count - refused, refused, reason };
}

/** Waits, or throws the signal's reason as soon as it ends. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.after(delayMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
