import type { DerivedType } from '../../runtime/shard/derived.ts';

/** Something that a scenario's author has to put right. */
export interface Problem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** What makes a line impossible to understand; says what would be valid. */
export class Misreading extends Error {}

export interface ScenarioAsset {
  readonly serial: string;
  readonly kind: string;
  /** Expected time between two readings; null: as the kind has it. */
  readonly cadenceMs: number | null;
  /** IANA name; null: as the kind has it. */
  readonly timeZone: string | null;
}

/** One record on its way to the runtime. Times are epoch milliseconds. */
export interface Arrival {
  readonly line: number;
  readonly topic: 'telemetry' | 'lifecycle';
  readonly serial: string;
  /** When it happened, by the clock of whoever tells. */
  readonly at: number;
  /** When the log accepts it. */
  readonly arrives: number;
  /** As it comes through the door, without times of reception. */
  readonly record: Readonly<Record<string, unknown>>;
}

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** What one column of a fact, or one value, must be. */
export interface Condition {
  readonly name: string;
  readonly operator: Operator;
  readonly value: unknown;
  /** For numbers: how far off is near enough. */
  readonly tolerance: number;
  /** As written. */
  readonly text: string;
}

/** What must be true. `count` null: at least one. */
export type Claim =
  | {
      readonly is: 'fact';
      readonly type: DerivedType;
      readonly where: readonly Condition[];
      readonly count: number | null;
    }
  | { readonly is: 'state'; readonly region: string; readonly state: string; readonly at: number | null }
  | { readonly is: 'states'; readonly region: string; readonly path: readonly string[] }
  | { readonly is: 'status'; readonly status: string }
  | { readonly is: 'value'; readonly condition: Condition }
  | { readonly is: 'derates'; readonly causes: readonly string[] }
  | { readonly is: 'counts'; readonly counts: readonly Condition[] }
  | { readonly is: 'refused'; readonly reason: string; readonly count: number | null };

export interface Expectation {
  readonly line: number;
  readonly text: string;
  /** Whose facts: an asset, or a place by its key. */
  readonly serial: string;
  readonly place: boolean;
  /** Partition clock at which it must hold; null: when all is over. */
  readonly when: number | null;
  readonly claim: Claim;
}

export interface Scenario {
  readonly file: string;
  readonly line: number;
  readonly title: string;
  /** Rows of `scenarios/coverage.txt` that it shows. */
  readonly covers: readonly string[];
  readonly assets: readonly ScenarioAsset[];
  readonly start: number;
  /** The clock goes on at least until then. */
  readonly end: number;
  /** In the order in which they arrive. */
  readonly arrivals: readonly Arrival[];
  readonly expectations: readonly Expectation[];
  /** Why another order of arrival may give other facts; null: it must not. */
  readonly orderMatters: string | null;
}
