import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { GridfoldError } from '../../runtime/kernel/errors.ts';

/** One fault of a request: where (JSON pointer into the body, or the name of a parameter) and what. */
export interface ProblemDetail {
  readonly pointer: string;
  readonly detail: string;
}

/** An answer that is not the thing asked for (RFC 9457). `code` is stable; `retryAfterS` becomes Retry-After. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: readonly ProblemDetail[];
  readonly retryAfterS: number | undefined;

  constructor(
    status: number,
    code: string,
    detail: string,
    more: { errors?: ProblemDetail[]; retryAfterS?: number } = {},
  ) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.errors = more.errors ?? [];
    this.retryAfterS = more.retryAfterS;
  }
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not authenticated',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  413: 'Content too large',
  415: 'Unsupported media type',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Not available now',
};

/** Codes of the runtime whose cause lies in the request. */
const badRequests = new Set(['sql_refused', 'sql_timeout', 'filter_syntax', 'filter_field', 'bad_cursor']);

/** Maps whatever was thrown to a problem; an unexpected error says nothing about its inside. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof GridfoldError) return fromRuntime(error);
  const fastify = error as FastifyError;
  if (fastify.validation !== undefined) {
    const root = fastify.validationContext === 'body' ? '' : `/${fastify.validationContext ?? 'request'}`;
    const errors = fastify.validation.map((fault) => ({
      pointer: `${root}${pointerOf(fault)}`,
      detail: fault.message ?? fault.keyword,
    }));
    return new Problem(400, 'invalid_request', 'The request does not match its schema.', { errors });
  }
  const status = typeof fastify.statusCode === 'number' ? fastify.statusCode : 500;
  if (status >= 400 && status < 500) {
    const errors = status === 400 ? [{ pointer: '', detail: fastify.message }] : [];
    return new Problem(status, codeOf(status), fastify.message, { errors });
  }
  return new Problem(500, 'internal_error', 'Something failed inside; the log of the server says what.');
}

function fromRuntime(error: GridfoldError): Problem {
  if (badRequests.has(error.code)) {
    const pointer = error.code.startsWith('sql')
      ? '/sql'
      : error.code === 'bad_cursor'
        ? '/querystring/cursor'
        : '/querystring/filter';
    return new Problem(400, error.code, error.message, { errors: [{ pointer, detail: error.message }] });
  }
  if (error.reaction === 'retry' || error.reaction === 'rejoin') {
    return new Problem(503, error.code, error.message, { retryAfterS: 1 });
  }
  return new Problem(500, error.code, error.message);
}

function pointerOf(fault: { instancePath: string; keyword: string; params: Record<string, unknown> }): string {
  const name = fault.keyword === 'required' ? fault.params.missingProperty : fault.params.additionalProperty;
  if (typeof name !== 'string') return fault.instancePath;
  return `${fault.instancePath}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function codeOf(status: number): string {
  if (status === 413) return 'too_large';
  if (status === 415) return 'unsupported_media_type';
  if (status === 404) return 'not_found';
  return 'bad_request';
}

/** The body of a problem answer. */
export function problemBody(problem: Problem, instance: string) {
  return {
    type: `https://gridfold.invalid/problems/${problem.code}`,
    title: titles[problem.status] ?? 'Error',
    status: problem.status,
    code: problem.code,
    detail: problem.message,
    instance,
    ...(problem.errors.length > 0 ? { errors: problem.errors } : {}),
  };
}

/** Answers with a problem; a request that failed inside is logged with its error. */
export function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = asProblem(error);
  if (problem.status >= 500 && problem.status !== 503)
    request.log.error({ err: error, code: problem.code }, 'request failed');
  if (problem.retryAfterS !== undefined) reply.header('retry-after', String(problem.retryAfterS));
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="gridfold"');
  reply
    .code(problem.status)
    .type('application/problem+json')
    .send(problemBody(problem, request.url.split('?', 1)[0]));
}
