/** What a member asks its coordinator next. */
export type Step = 'join' | 'sync' | 'heartbeat';

/** What a member does after a request that failed. */
export interface Turn {
  readonly next: Step;
  /** The coordinator does not know this member any more: it joins as a new one. */
  readonly forgetId: boolean;
  /** The partitions may be at work elsewhere by now. */
  readonly lost: boolean;
  /** Look for the coordinator anew. */
  readonly reconnect: boolean;
  /** Wait before the next request; longer with each failure in a row. */
  readonly wait: boolean;
  /** Trying again is of no use until a person has changed something. */
  readonly fatal: boolean;
}

const again: Turn = {
  next: 'join',
  forgetId: false,
  lost: false,
  reconnect: false,
  wait: false,
  fatal: false,
};
const fatal: Turn = { ...again, wait: true, fatal: true };
const unknown: Turn = { ...again, forgetId: true, lost: true };

/** By the type of error of the protocol. A join does not take back what is at work: until it is answered, it stays. */
const turns: Readonly<Record<string, Turn>> = {
  MEMBER_ID_REQUIRED: again,
  REBALANCE_IN_PROGRESS: again,
  ILLEGAL_GENERATION: { ...again, lost: true },
  UNKNOWN_MEMBER_ID: unknown,
  FENCED_INSTANCE_ID: { ...unknown, wait: true },
  INCONSISTENT_GROUP_PROTOCOL: fatal,
  GROUP_MAX_SIZE_REACHED: fatal,
  GROUP_AUTHORIZATION_FAILED: fatal,
  INVALID_GROUP_ID: fatal,
  INVALID_SESSION_TIMEOUT: fatal,
  UNSUPPORTED_SASL_MECHANISM: { ...fatal, reconnect: true },
  SASL_AUTHENTICATION_FAILED: { ...fatal, reconnect: true },
};

/**
 * Decides what a member does after `step` failed with an error of that type; null stands for one that is no answer of
 * the coordinator: broken connection, timeout. Whoever is not the coordinator, or not yet, changes nothing about the
 * membership: a heartbeat is tried again elsewhere, and only its answer tells whether the member is still one.
 */
export function turnAfter(step: Step, errorType: string | null): Turn {
  const known = errorType === null ? undefined : turns[errorType];
  return known ?? { ...again, next: step === 'heartbeat' ? 'heartbeat' : 'join', reconnect: true, wait: true };
}

/** Times of a member's talk with its coordinator, epoch milliseconds. */
export interface Contact {
  /** When the newest answered request was sent. */
  readonly heardMs: number;
  /** Since when a join waits for its answer; null while none does. */
  readonly joiningMs: number | null;
}

/** Whether the coordinator still counts the member in, as far as the member can know. */
export function isCounted(
  nowMs: number,
  contact: Contact,
  sessionTimeoutMs: number,
  rebalanceTimeoutMs: number,
): boolean {
  const { heardMs, joiningMs } = contact;
  return nowMs < heardMs + sessionTimeoutMs || (joiningMs !== null && nowMs < joiningMs + rebalanceTimeoutMs);
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;

/** Wait before the request after so many failures in a row. */
export function backoffMs(failures: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.max(0, failures - 1));
}
