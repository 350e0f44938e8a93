import type { ServerFrame } from './protocol.ts';

/** What the connection allows a subscription to hold; shared by all subscriptions of the connection. */
export interface Budget {
  readonly keys: number;
  readonly queueKeys: number;
  members: number;
  pending: number;
}

/** What the parts of one subscription share: its sequence numbers, and how many assets its client holds. */
export class Tally {
  readonly id: string;
  readonly budget: Budget;
  readonly #limit: number;
  #seq = 0;
  #members = 0;
  #truncated = false;
  #limitTold = false;

  constructor(id: string, limit: number, budget: Budget) {
    this.id = id;
    this.#limit = limit;
    this.budget = budget;
  }

  get members(): number {
    return this.#members;
  }

  /** Whether a snapshot left something out. */
  get truncated(): boolean {
    return this.#truncated;
  }

  /** The number of the next delta. */
  next(): number {
    return ++this.#seq;
  }

  /** Numbers for updates that no delta will tell; at least one. */
  skip(updates: number): { from: number; to: number } {
    const from = this.#seq + 1;
    this.#seq += Math.max(1, updates);
    return { from, to: this.#seq };
  }

  /** Room for one asset more; false when there is none. */
  admit(): boolean {
    if (this.#members >= this.#limit || this.budget.members >= this.budget.keys) return false;
    this.#members += 1;
    this.budget.members += 1;
    return true;
  }

  forget(members: number): void {
    this.#members -= members;
    this.budget.members -= members;
  }

  truncate(): void {
    this.#truncated = true;
  }

  /** A snapshot begins. */
  restart(): void {
    this.#truncated = false;
  }

  /** What the client is told, once, when an asset finds no room. */
  tellLimit(): ServerFrame | undefined {
    if (this.#limitTold) return undefined;
    this.#limitTold = true;
    const msg = `more assets match than the ${this.#limit} this subscription may hold; the others are not shown`;
    return { t: 'err', id: this.id, code: 'member_limit', msg };
  }
}
