import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { Problem } from '../http/problem.ts';

/** The body of an answer that is not the thing asked for, as Confluent's interface has it. */
export interface RegistryFault {
  /** Its first three digits are the HTTP status. */
  readonly error_code: number;
  readonly message: string;
}

/** Confluent's number of each fault of the registry. */
const NUMBERS: Readonly<Record<string, number>> = {
  subject_not_found: 40401,
  schema_version_not_found: 40402,
  schema_not_found: 40403,
  schema_incompatible: 409,
  schema_invalid: 42201,
  schema_level_invalid: 42203,
  subject_invalid: 42201,
  registry_full: 50701,
};

export function faultOf(error: unknown): RegistryFault {
  if (error instanceof GridfoldError && Object.hasOwn(NUMBERS, error.code))
    return { error_code: NUMBERS[error.code], message: error.message };
  if (error instanceof Problem) return { error_code: error.status, message: error.message };
  const { statusCode, message, validation } = error as FastifyError;
  if (validation !== undefined) return { error_code: 42201, message: `the request is not as expected: ${message}` };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return { error_code: statusCode, message };
  return { error_code: 50001, message: 'something failed inside; the log of the server says what' };
}

/** Answers with a fault; one from inside is logged. */
export function answerFault(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const fault = faultOf(error);
  if (fault.error_code === 50001) request.log.error({ err: error }, 'schema registry: request failed');
  if (error instanceof Problem && error.retryAfterS !== undefined)
    reply.header('retry-after', String(error.retryAfterS));
  if (fault.error_code === 401) reply.header('www-authenticate', 'Bearer realm="gridfold"');
  reply
    .code(Number(String(fault.error_code).slice(0, 3)))
    .type(CONTENT_TYPE)
    .send(fault);
}

export const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';
