import type { FactChange } from './facts.ts';

/** What a partition counted since the last time somebody took the figures: once per batch, never per record. */
export class Tally {
  applied = 0;
  duplicates = 0;
  late = 0;
  /** Applied readings with an invalid value in them. */
  invalid = 0;
  /** Applied lifecycle records. */
  lifecycle = 0;
  timers = 0;
  /** Keys and values of the records folded. */
  bytes = 0;
  /** Newest device time seen, epoch ms. */
  watermark = 0;
  /** Set aside, by reason. */
  readonly reasons = new Map<string, number>();
  /** Region changes, by `kind from to`. */
  readonly transitions = new Map<string, number>();

  rejected(reason: string): void {
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
  }

  facts(kind: string, changes: readonly FactChange[]): void {
    for (const {
      fact: { type, data },
    } of changes) {
      if (type.name !== 'state_transition') continue;
      const id = `${kind} ${data.from} ${data.to}`;
      this.transitions.set(id, (this.transitions.get(id) ?? 0) + 1);
    }
  }

  reset(): void {
    this.applied = this.duplicates = this.late = this.invalid = this.lifecycle = this.timers = this.bytes = 0;
    this.reasons.clear();
    this.transitions.clear();
  }
}
