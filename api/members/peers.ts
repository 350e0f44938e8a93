import { Agent as HttpAgent, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { once } from 'node:events';
import type { Member } from '../../runtime/log/membership.ts';
import { Problem } from '../http/problem.ts';

/** Header of a request that another process has passed on: it is answered here or not at all. */
export const FORWARDED = 'x-gridfold-forwarded';

export interface Question {
  readonly method?: 'GET' | 'POST';
  /** Path and query, already encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the other may wait before it begins to answer, beyond what any answer may take. @default 0 */
  readonly waitMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export type ForwardOutcome = 'answered' | 'unreachable' | 'timeout' | 'refused' | 'busy';

export interface PeerOptions {
  /** Given as bearer token: all processes of a group share it. */
  readonly authToken?: string;
  readonly outcome: (outcome: ForwardOutcome) => void;
  /** For an answer that need not be waited for. @default 5000 */
  readonly timeoutMs?: number;
}

const maxSocketsPerMember = 64;
const maxOpen = 512;
const maxAnswerBytes = 64 * 1024 * 1024;

/** Asks the other processes of the group. Throws {@link Problem}s (503) where one of them does not answer. */
export class Peers {
  readonly #options: PeerOptions;
  readonly #agents = {
    'http:': new HttpAgent({ keepAlive: true, maxSockets: maxSocketsPerMember }),
    'https:': new HttpsAgent({ keepAlive: true, maxSockets: maxSocketsPerMember }),
  };
  #open = 0;

  constructor(options: PeerOptions) {
    this.#options = options;
  }

  /** The answer, whatever its status; `owner_refused` where the other does not know us as one of its group. */
  async ask(member: Member, question: Question): Promise<Answer> {
    const { outcome } = this.#options;
    if (this.#open >= maxOpen) {
      outcome('busy');
      throw new Problem(503, 'busy', 'Too many requests to other processes are open.', { retryAfterS: 1 });
    }
    this.#open += 1;
    try {
      const answer = await this.#exchange(member, question);
      const isRefused = answer.status === 401 || answer.status === 403;
      outcome(isRefused ? 'refused' : 'answered');
      if (!isRefused) return answer;
    } catch (error) {
      const isLate = (error as Error).name === 'TimeoutError' || (error as Error).name === 'AbortError';
      outcome(isLate ? 'timeout' : 'unreachable');
      const why = isLate ? 'did not answer in time' : 'cannot be reached';
      throw new Problem(503, 'owner_unreachable', `${member.url} ${why}.`, { retryAfterS: 1 });
    } finally {
      this.#open -= 1;
    }
    const detail = `${member.url} refused us: all processes of a group need the same authToken, and know each other's URL.`;
    throw new Problem(503, 'owner_refused', detail, { retryAfterS: 5 });
  }

  /** As {@link ask}, for an answer in JSON; anything but 200 is thrown as the problem that it is. */
  async json<T>(member: Member, question: Question): Promise<T> {
    const { status, headers, body } = await this.ask(member, question);
    const content = parse(body);
    if (status === 200 && content !== undefined) return content as T;
    const { code = 'owner_failed', detail = `${member.url} answered ${status} without a reason.` } = (content ??
      {}) as { code?: string; detail?: string };
    const retryAfterS = Number(headers['retry-after']) || undefined;
    throw new Problem(status >= 400 ? status : 503, code, detail, { retryAfterS });
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  async #exchange(member: Member, { method = 'GET', path, headers, waitMs = 0 }: Question): Promise<Answer> {
    const url = new URL(path, member.url);
    const { authToken, timeoutMs = 5_000 } = this.#options;
    const isPlain = url.protocol === 'http:';
    const request = (isPlain ? httpRequest : httpsRequest)(url, {
      method,
      agent: isPlain ? this.#agents['http:'] : this.#agents['https:'],
      signal: AbortSignal.timeout(timeoutMs + waitMs),
      headers: {
        [FORWARDED]: '1',
        ...headers,
        ...(authToken === undefined ? undefined : { authorization: `Bearer ${authToken}` }),
      },
    });
    // What happens before the answer comes by `once`, and after it by the body.
    request.on('error', () => {});
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > maxAnswerBytes) throw new Error(`an answer of more than ${maxAnswerBytes} bytes`);
    }
    return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks, bytes) };
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
