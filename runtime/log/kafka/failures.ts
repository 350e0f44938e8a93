import { GridfoldError } from '../../kernel/errors.ts';
import type { KafkajsError } from './wire/kafkajs.ts';

/** The errors of the log on Kafka; codes are listed in docs/operate.md. */

export const closed = (): GridfoldError => new GridfoldError('log_closed', 'stop', 'The log is closed.');

export function outOfRange(topic: string, partition: number, from: number, start: number, end: number): GridfoldError {
  const missing =
    from < start ? `${from}..${start - 1} are no longer retained` : `${end}..${from - 1} were never written`;
  const message = `Offset ${from} of ${topic}/${partition} cannot be read: offsets ${missing}.`;
  return new GridfoldError('log_offset_out_of_range', 'stop', message);
}

export function fenced(journal: string, partition: number, generation: number, cause?: unknown): GridfoldError {
  const message = `Generation ${generation} of ${journal}/${partition} is fenced: another owner has claimed it, or its transaction took too long.`;
  return new GridfoldError('log_fenced', 'rejoin', message, { cause });
}

export function badArgument(message: string): GridfoldError {
  return new GridfoldError('log_bad_argument', 'stop', message);
}

export function corrupt(topic: string, partition: number, offset: number, why: string, cause?: unknown): GridfoldError {
  const message = `The batch at offset ${offset} of ${topic}/${partition} cannot be read: it ${why}.`;
  return new GridfoldError('log_corrupt', 'stop', message, { cause });
}

export function topicMissing(topic: string): GridfoldError {
  const message = `Topic "${topic}" does not exist, or this user may not see it. Create it with "gridfold topics apply", or allow it.`;
  return new GridfoldError('log_topic_missing', 'fix-configuration', message);
}

export function journalLost(journal: string, partition: number, start: number): GridfoldError {
  const message = `The journal ${journal}/${partition} begins at ${start} and holds no record: retention has deleted the position that was committed. Set the topic's retention.ms and retention.bytes to -1, and restore the journal or start with new topics.`;
  return new GridfoldError('journal_lost', 'stop', message);
}

/** The outcome of a commit is not known: whoever claims the partition again reads what became of it. */
export function commitUnknown(journal: string, partition: number, cause: unknown): GridfoldError {
  const message = `Whether the commit of ${journal}/${partition} took place is not known (${reasonOf(cause)}). Claim the partition again and read its committed position.`;
  return new GridfoldError('log_commit_unknown', 'retry', message, { cause });
}

export function refused(what: string, cause: unknown): GridfoldError {
  const message = `The broker refuses ${what}: ${reasonOf(cause)}.`;
  return new GridfoldError('log_refused', 'fix-configuration', message, { cause });
}

/** A broker that does not answer, answers that somebody else is in charge now, or asks to wait: all pass by themselves. */
export function isTransient(error: unknown): boolean {
  for (let e = error as KafkajsError | undefined; e instanceof Error; e = e.cause as KafkajsError | undefined) {
    if (e.type !== undefined && transientTypes.has(e.type)) return true;
    if (transientNames.has(e.name) || (typeof e.code === 'string' && networkCodes.has(e.code))) return true;
    if (e.name === 'KafkaJSProtocolError') return e.retriable === true;
  }
  return false;
}

/** A newer producer with the same transactional id is at work, or the broker has aborted the transaction. */
export function isFence(error: unknown): boolean {
  for (let e = error as KafkajsError | undefined; e instanceof Error; e = e.cause as KafkajsError | undefined) {
    if (e.type !== undefined && fenceTypes.has(e.type)) return true;
  }
  return false;
}

/** The broker takes none of the batch, and would take the same records no other time. */
export function isRefusedRecord(error: unknown): boolean {
  const cause = error instanceof GridfoldError ? error.cause : error;
  return refusedRecordTypes.has(typeOf(cause) ?? '');
}

/**
 * Of failures side by side, the one that decides what becomes of them all: a fence before any other refusal, that before
 * what passes by itself, and a refused record last. After it the producer goes on, so that everything beside it must be
 * known to be written or not: of a batch that was written unknown to us the broker would take the next one for a repetition.
 */
export function weightiest(failures: readonly unknown[]): unknown {
  const weight = (error: unknown) =>
    [isRefusedRecord, isTransient, (e: unknown) => !isFence(e), isFence].findIndex((is) => is(error));
  return failures.reduce((a, b) => (weight(b) > weight(a) ? b : a));
}

export function typeOf(error: unknown): string | undefined {
  return (error as KafkajsError | null)?.type;
}

export function reasonOf(error: unknown): string {
  const { type, message } = error as KafkajsError;
  return type === undefined ? String(message ?? error) : `${type}: ${message}`;
}

const transientTypes = new Set([
  'CONCURRENT_TRANSACTIONS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_LOAD_IN_PROGRESS',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'BROKER_NOT_AVAILABLE',
  'ILLEGAL_SASL_STATE',
]);

const transientNames = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSLockTimeout',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
  'KafkaJSGroupCoordinatorNotFound',
]);

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

const fenceTypes = new Set([
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_ID_MAPPING',
  'TRANSACTION_COORDINATOR_FENCED',
]);

const refusedRecordTypes = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
]);
