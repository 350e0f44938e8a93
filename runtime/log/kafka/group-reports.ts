import { GridfoldError } from '../../kernel/errors.ts';
import type { Member } from '../membership.ts';
import type { KafkaConnection } from './connection.ts';

/** What kafkajs throws: with a type where the broker answered, with a member id where that is the answer. */
export type KafkaError = Error & { readonly type?: string; readonly memberId?: string };

/** The type of error of the protocol; null for what is no answer of the broker. */
export function errorType({ type, name }: KafkaError): string | null {
  if (name === 'KafkaJSSASLAuthenticationError') return 'SASL_AUTHENTICATION_FAILED';
  return type ?? null;
}

/** The error of a group that this process will not get into before a person has changed something. */
export function cannotJoin(groupId: string, type: string, cause: Error): GridfoldError {
  const text = `Group ${groupId} cannot be joined: ${type}. ${advice[type] ?? cause.message}`;
  return new GridfoldError('group_refused', 'fix-configuration', text, { cause });
}

const advice: Readonly<Record<string, string>> = {
  INCONSISTENT_GROUP_PROTOCOL: 'Other consumers use this group: choose another group id.',
  GROUP_MAX_SIZE_REACHED: 'It has as many members as the broker allows (group.max.size).',
  GROUP_AUTHORIZATION_FAILED: 'This user needs READ on the group.',
  INVALID_SESSION_TIMEOUT: 'The broker allows from group.min.session.timeout.ms to group.max.session.timeout.ms.',
};

/** Who runs which version, where they differ; null where they do not. */
export function versionSkew(members: readonly Member[]): Record<string, string[]> | null {
  const byVersion = Object.groupBy(members, ({ version }) => version);
  if (Object.keys(byVersion).length < 2) return null;
  const name = ({ id, url }: Member) => `${id} (${url})`;
  return Object.fromEntries(Object.entries(byVersion).map(([version, who]) => [version, who!.map(name)]));
}

/** In a row: a coordinator that moves or starts is no outage. */
const FAILURES_TO_REPORT = 4;

/** A time without an answer of the coordinator, told once when it lasts and once when it is over. */
export class Outage {
  readonly #groupId: string;
  readonly #message: KafkaConnection['message'];
  #failures = 0;

  constructor(groupId: string, message: KafkaConnection['message']) {
    this.#groupId = groupId;
    this.#message = message;
  }

  /** How many failures there were in a row, this one included. */
  failed(type: string | null, error: Error): number {
    this.#failures += 1;
    if (this.#failures === FAILURES_TO_REPORT) {
      const text = `Group ${this.#groupId}: its coordinator cannot be reached or refuses; trying until it answers.`;
      this.#message('warn', text, { type, reason: error.message });
    }
    return this.#failures;
  }

  over(): void {
    if (this.#failures >= FAILURES_TO_REPORT) {
      this.#message('info', `Group ${this.#groupId}: its coordinator answers again.`);
    }
    this.#failures = 0;
  }
}
