import type { Clock } from '../../runtime/kernel/clock.ts';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { badAnswer, isDenied, readAnswer, type RegistryAnswer } from './answer.ts';
import { type Endpoint, type RegistryAuth, readEndpoints } from './endpoint.ts';
import { MAX_SCHEMA_CHARS, type SchemaText, schemaTypeOf } from './schema-type.ts';
import type { FoundSchema, RegistryStatus, SchemaSource } from './source.ts';
import { backoff, waitFor } from './wait.ts';

export interface RegistryClientOptions {
  /** Addresses of one registry; the next one is asked where one does not answer. 1 to 16. */
  readonly urls: readonly string[];
  readonly auth?: RegistryAuth;
  /** Longest time for one request, its answer included. 100 to 120,000. @default 5000 */
  readonly timeoutMs?: number;
  /** Attempts of one call before it throws. 1 to 20. @default 3 */
  readonly attempts?: number;
  /** First pause between attempts; doubled up to 30 s. 1 to 30,000. @default 200 */
  readonly backoffMs?: number;
  readonly clock: Clock;
}

const MAX_BACKOFF_MS = 30_000;
const SUBJECT_NOT_FOUND = 40401;
const NOT_FOUND = new Set([SUBJECT_NOT_FOUND, 40402, 40403]);
const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';

/**
 * Speaks to a schema registry by Confluent's HTTP interface. A call that fails for a reason that may pass is repeated,
 * some times. Secrets stand in the request's header alone: in no URL, message or log.
 */
export class RegistryClient implements SchemaSource {
  readonly #endpoints: readonly Endpoint[];
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #attempts: number;
  readonly #backoffMs: number;
  #current = 0;
  #status: RegistryStatus = { state: 'untried', since: 0, fault: null, requests: 0, failures: 0 };

  /** Throws `registry_bad_option` (fix-configuration). */
  constructor(options: RegistryClientOptions) {
    this.#endpoints = readEndpoints(options.urls, options.auth);
    this.#clock = options.clock;
    this.#timeoutMs = within('timeoutMs', options.timeoutMs ?? 5_000, 100, 120_000);
    this.#attempts = within('attempts', options.attempts ?? 3, 1, 20);
    this.#backoffMs = within('backoffMs', options.backoffMs ?? 200, 1, MAX_BACKOFF_MS);
  }

  /** Its addresses, without secrets. */
  get urls(): string[] {
    return this.#endpoints.map(({ url }) => url);
  }

  status(): RegistryStatus {
    return this.#status;
  }

  async schema(id: number, signal?: AbortSignal): Promise<FoundSchema | null> {
    const answer = await this.#call('GET', `/schemas/ids/${id}`, undefined, signal);
    if (isNotFound(answer)) return null;
    const { schema, schemaType } = expectSuccess(answer) as { schema?: unknown; schemaType?: unknown };
    if (typeof schema !== 'string') throw badAnswer(`schema ${id} has no text`);
    if (schema.length > MAX_SCHEMA_CHARS) throw badAnswer(`schema ${id} is longer than ${MAX_SCHEMA_CHARS} characters`);
    const type = schemaTypeOf(schemaType);
    if (type === undefined) return null;
    const uses = await this.#call('GET', `/schemas/ids/${id}/versions`, undefined, signal);
    if (isNotFound(uses)) return null;
    return { id, schema, schemaType: type, subjects: subjectsOf(expectSuccess(uses)) };
  }

  async register(subject: string, { schemaType, schema }: SchemaText, signal?: AbortSignal): Promise<number> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions`;
    const answer = await this.#call('POST', path, { schemaType, schema }, signal);
    const { id } = expectSuccess(answer) as { id?: unknown };
    if (!Number.isSafeInteger(id)) throw badAnswer('it registered a schema without telling its id');
    return id as number;
  }

  /** Whether the schema may follow the newest version of the subject; true where there is no version yet. */
  async isCompatible(subject: string, { schemaType, schema }: SchemaText, signal?: AbortSignal): Promise<boolean> {
    const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions/latest`;
    const answer = await this.#call('POST', path, { schemaType, schema }, signal);
    if (isNotFound(answer)) return true;
    const { is_compatible } = expectSuccess(answer) as { is_compatible?: unknown };
    if (typeof is_compatible !== 'boolean') throw badAnswer('it gave no verdict on a schema');
    return is_compatible;
  }

  async subjects(signal?: AbortSignal): Promise<string[]> {
    const names = expectSuccess(await this.#call('GET', '/subjects', undefined, signal));
    if (!Array.isArray(names) || names.some((name) => typeof name !== 'string')) throw badAnswer('it gave no subjects');
    return names;
  }

  /** One request, repeated where its failure may pass; answers with a status below 500 but 429, 401 and 403. */
  async #call(method: string, path: string, body: object | undefined, signal?: AbortSignal): Promise<RegistryAnswer> {
    for (let attempt = 0; ; attempt++) {
      try {
        const answer = await this.#ask(method, path, body, signal);
        this.#note(null);
        return answer;
      } catch (error) {
        const fault = error as GridfoldError;
        this.#note(fault);
        if (fault.reaction !== 'retry' || attempt + 1 >= this.#attempts || signal?.aborted) throw fault;
        this.#current = (this.#current + 1) % this.#endpoints.length;
        await waitFor(this.#clock, backoff(attempt, this.#backoffMs, MAX_BACKOFF_MS), signal);
      }
    }
  }

  async #ask(method: string, path: string, body: object | undefined, signal?: AbortSignal): Promise<RegistryAnswer> {
    const { url, authorization } = this.#endpoints[this.#current];
    const abort = new AbortController();
    const stop = () => abort.abort();
    const cancel = this.#clock.after(this.#timeoutMs, stop);
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        signal: abort.signal,
        // A redirect would carry the request, and its secret, to where nobody has sent it.
        redirect: 'error',
        headers: {
          accept: `${CONTENT_TYPE}, application/json`,
          ...(authorization === undefined ? {} : { authorization }),
          ...(body === undefined ? {} : { 'content-type': CONTENT_TYPE }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      const answer = await readAnswer(response);
      refuseFailure(url, answer);
      return answer;
    } catch (cause) {
      if (cause instanceof GridfoldError) throw cause;
      const why = abort.signal.aborted && !signal?.aborted ? `no answer within ${this.#timeoutMs} ms` : reasonOf(cause);
      throw unavailable(url, why, cause);
    } finally {
      cancel();
      signal?.removeEventListener('abort', stop);
    }
  }

  #note(fault: GridfoldError | null): void {
    const state = fault === null ? 'up' : fault.code === 'registry_denied' ? 'denied' : 'down';
    const { requests, failures, state: before, since } = this.#status;
    this.#status = {
      state,
      since: state === before ? since : this.#clock.now(),
      fault: fault === null ? null : { code: fault.code, message: fault.message },
      requests: requests + 1,
      failures: failures + (fault === null ? 0 : 1),
    };
  }
}

function refuseFailure(url: string, { status, message }: RegistryAnswer): void {
  if (isDenied(status)) {
    const hint = 'check the user and password, or the token, of the registry';
    throw new GridfoldError('registry_denied', 'fix-configuration', `${url} refuses us (status ${status}): ${hint}`);
  }
  if (status >= 500 || status === 429 || status === 408) throw unavailable(url, `status ${status} ${message}`.trim());
}

const unavailable = (url: string, why: string, cause?: unknown) =>
  new GridfoldError('registry_unavailable', 'retry', `the schema registry ${url} does not answer: ${why}`, { cause });

function reasonOf(cause: unknown): string {
  const { message, cause: inner } = cause as Error;
  const code = (inner as NodeJS.ErrnoException | undefined)?.code;
  return code ?? message;
}

/** A 404 alone says nothing: a wrong address answers so as well. Only the registry's own number counts. */
const isNotFound = ({ status, errorCode }: RegistryAnswer) => status === 404 && NOT_FOUND.has(errorCode);

function expectSuccess({ status, errorCode, message, body }: RegistryAnswer): unknown {
  if (status >= 200 && status < 300 && typeof body === 'object' && body !== null) return body;
  const detail = message === '' ? `status ${status}` : message;
  if (status === 409) throw new GridfoldError('schema_incompatible', 'fix-configuration', detail);
  if (status === 422) throw new GridfoldError('schema_invalid', 'fix-configuration', detail);
  throw badAnswer(`status ${status}, error ${errorCode} ${message}`.trim());
}

function subjectsOf(uses: unknown): string[] {
  if (!Array.isArray(uses)) throw badAnswer('it gave no versions of a schema');
  const names = uses.map((use) => (use as { subject?: unknown } | null)?.subject);
  return names.filter((name): name is string => typeof name === 'string').slice(0, 1_000);
}

function within(name: string, value: number, min: number, max: number): number {
  if (Number.isFinite(value) && value >= min && value <= max) return value;
  throw new GridfoldError('registry_bad_option', 'fix-configuration', `${name} is ${min} to ${max}, not ${value}`);
}
