/** Column types of derived data. `time` is epoch milliseconds in memory, RFC 3339 in JSON, TIMESTAMPTZ in tables. */
export type DerivedColumnType = 'text' | 'double' | 'integer' | 'boolean' | 'time' | 'json';

export interface DerivedColumn {
  /** camelCase, as in the event's data; tables use snake_case. */
  readonly name: string;
  readonly type: DerivedColumnType;
  readonly doc: string;
  readonly unit?: string;
}

/** One type of derived event: its name, its table and the columns of its data. */
export interface DerivedType {
  /** For instance `state_interval`. */
  readonly name: string;
  /** The table: the name in the plural. */
  readonly table: string;
  readonly doc: string;
  /** What the key is made of, for people. */
  readonly key: string;
  readonly columns: readonly DerivedColumn[];
  /**
   * True for facts whose open form changes with every reading (an energy interval in progress): it is written when it
   * closes, and when the shard publishes open facts because the asset or its input fell silent.
   */
  readonly lazy?: boolean;
  /** True for facts that other actors fold too: a copy goes to those that the kind's `audience` names. */
  readonly forwarded?: boolean;
  /** True for forwarded facts that are for other actors only: they have no place in the derived topic and no table. */
  readonly internal?: boolean;
}

export type DerivedValue = string | number | boolean | null | readonly unknown[] | object;
/** Derived types that have a table, each once, whatever actor types state them. */
export function tablesOf(types: readonly { readonly derived: readonly DerivedType[] }[]): DerivedType[] {
  return [...new Set(types.flatMap((type) => type.derived))].filter((type) => type.internal !== true);
}

/** Data of one fact: the declared columns in their order; times as epoch milliseconds. */
export type DerivedData = Readonly<Record<string, DerivedValue>>;

/** A derived event as it stands in the derived topic (contracts: "Derived event"); all times RFC 3339 in UTC. */
export interface DerivedEvent {
  /** `{topic}-{partition}-{offset}-{ordinal}` of the cause. */
  readonly id: string;
  readonly type: string;
  readonly serial: string;
  readonly kind: string;
  readonly siteId: string | null;
  readonly eventTime: string;
  readonly recordTime: string;
  /** Made of content only: equal keys are versions of one fact. */
  readonly key: string;
  readonly version: number;
  readonly op: 'upsert' | 'retract';
  readonly machine: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Where facts go while an asset folds. Times are epoch milliseconds. */
export interface Facts {
  /** Whether internal facts are wanted: nobody folds those of an asset that never stood anywhere. */
  readonly forwards: boolean;
  emit(type: DerivedType, key: string, eventTime: number, data: DerivedData): void;
  /**
   * Takes a fact back, for actors that fold in order of arrival. Those that fold in order of device time never need
   * it: what their facts were and what they should be is compared by key.
   */
  retract(type: DerivedType, key: string, eventTime: number, data: DerivedData): void;
}

/** An actor that hears of the facts of another. */
export interface Address {
  readonly kind: string;
  readonly key: string;
}
