import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent, request as httpsRequest } from 'node:https';
import { GridfoldError } from '../runtime/kernel/errors.ts';
import { UsageError } from './usage-error.ts';

/** Answers that are read whole are bounded. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * Requests to one instance. Waits as long as the instance does (a settle can take minutes).
 * Throws GridfoldError `instance_unreachable` (retry).
 */
export class Client {
  readonly #base: URL;
  readonly #token: string | null;
  readonly #agent: Agent;

  constructor(url: string, token: string | null) {
    this.#base = parseUrl(url);
    this.#token = token;
    this.#agent = this.#base.protocol === 'https:' ? new TlsAgent({ keepAlive: true }) : new Agent({ keepAlive: true });
  }

  get token(): string | null {
    return this.#token;
  }

  get url(): string {
    return this.#base.href.replace(/\/$/, '');
  }

  get(path: string): Promise<Answer> {
    return this.#send('GET', path, null, null);
  }

  post(path: string, value: unknown): Promise<Answer> {
    return this.#send('POST', path, Buffer.from(JSON.stringify(value)), 'application/json');
  }

  postLines(path: string, lines: Uint8Array): Promise<Answer> {
    return this.#send('POST', path, lines, 'application/x-ndjson');
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(method: string, path: string, body: Uint8Array | null, type: string | null): Promise<Answer> {
    const headers: Record<string, string | number> = { accept: 'application/json' };
    if (this.#token !== null) headers.authorization = `Bearer ${this.#token}`;
    if (body !== null) headers['content-length'] = body.length;
    if (type !== null) headers['content-type'] = type;
    const send = this.#base.protocol === 'https:' ? httpsRequest : httpRequest;
    const target = new URL(this.#base.pathname.replace(/\/$/, '') + path, this.#base);
    return new Promise((resolve, reject) => {
      const request = send(target, { method, headers, agent: this.#agent }, (response) => {
        readAnswer(response).then(resolve, reject);
      });
      request.on('error', (error) => reject(unreachable(this.url, error)));
      request.end(body ?? undefined);
    });
  }
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) {
      response.destroy();
      throw new GridfoldError(
        'answer_too_large',
        'stop',
        `The answer is larger than ${MAX_ANSWER_BYTES} bytes; ask for less.`,
      );
    }
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const isJson = /json/.test(response.headers['content-type'] ?? '');
  return { status: response.statusCode ?? 0, body: isJson && text !== '' ? JSON.parse(text) : text };
}

/** The error that a refusing answer (RFC 9457 problem) means. */
export function problemOf({ status, body }: Answer): GridfoldError {
  const problem = (body !== null && typeof body === 'object' ? body : {}) as {
    code?: unknown;
    title?: unknown;
    detail?: unknown;
  };
  const code = typeof problem.code === 'string' ? problem.code : `http_${status}`;
  const detail = [problem.detail, problem.title, body].find((text) => typeof text === 'string' && text !== '');
  const reaction = status === 429 || status >= 500 ? 'retry' : 'fix-configuration';
  return new GridfoldError(code, reaction, `${detail ?? 'the instance refused'} (HTTP ${status})`);
}

/** The body of an answer with status 2xx. Throws what the problem says otherwise. */
export function expectOk<T>(answer: Answer): T {
  if (answer.status < 200 || answer.status > 299) throw problemOf(answer);
  return answer.body as T;
}

function parseUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !['http:', 'https:'].includes(parsed.protocol)) {
    throw new UsageError(`"${url}" is not an http or https URL`);
  }
  return parsed;
}

function unreachable(url: string, cause: Error): GridfoldError {
  if (cause instanceof GridfoldError) return cause;
  const reason = (cause as NodeJS.ErrnoException).code ?? cause.message;
  return new GridfoldError('instance_unreachable', 'retry', `No answer from ${url} (${reason}).`, { cause });
}
