/** Returned by the index functions of nothing: there is no such state or event. */
export const NOT_FOUND = -1;

/**
 * A state machine as a flat table: what folds use.
 *
 * States and events are small numbers, in the order of `states` and `events`; `S` and `E` are the unions of their
 * names where the definition gives them away.
 */
export interface CompiledMachine<S extends string = string, E extends string = string> {
  readonly id: string;
  /** Version of the definition; goes into snapshots and derived events as `id@version`. */
  readonly version: string;
  /** Names in the order of the definition. The leaf of a nested state is named with its path: `running.throttled`. */
  readonly states: readonly S[];
  readonly events: readonly E[];
  readonly initial: number;
  /** `table[state * events.length + event]` is the next state. */
  readonly table: Uint8Array;
  /** The next state; the same one when the definition has no transition for the event. Both must be in range. */
  next(state: number, event: number): number;
  /** Whether the definition has a transition for the event, be it to the same state. */
  has(state: number, event: number): boolean;
  /** Throws RangeError for an unknown name: to be called when a module loads, not in a fold. */
  stateIndex(name: S): number;
  /** Throws RangeError for an unknown name. */
  eventIndex(name: E): number;
  /** Index of a name that comes from outside, or {@link NOT_FOUND}. */
  findState(name: string): number;
  findEvent(name: string): number;
  /** What the definition says about a state, or an empty text. */
  description(state: number): string;
}

export interface TableParts<S extends string, E extends string> {
  readonly id: string;
  readonly version: string;
  readonly states: readonly S[];
  readonly events: readonly E[];
  readonly initial: number;
  readonly table: Uint8Array;
  /** 1 where the definition has a transition. Same layout as `table`. */
  readonly defined: Uint8Array;
  readonly descriptions: readonly string[];
}

/** The class behind {@link CompiledMachine}: one shape for all machines, so that calls stay monomorphic. */
export class TableMachine<S extends string, E extends string> implements CompiledMachine<S, E> {
  readonly id: string;
  readonly version: string;
  readonly states: readonly S[];
  readonly events: readonly E[];
  readonly initial: number;
  readonly table: Uint8Array;
  readonly #defined: Uint8Array;
  readonly #width: number;
  readonly #descriptions: readonly string[];

  constructor(parts: TableParts<S, E>) {
    this.id = parts.id;
    this.version = parts.version;
    this.states = parts.states;
    this.events = parts.events;
    this.initial = parts.initial;
    this.table = parts.table;
    this.#defined = parts.defined;
    this.#width = parts.events.length;
    this.#descriptions = parts.descriptions;
  }

  next(state: number, event: number): number {
    return this.table[state * this.#width + event];
  }

  has(state: number, event: number): boolean {
    return this.#defined[state * this.#width + event] === 1;
  }

  stateIndex(name: S): number {
    return known(this.findState(name), `machine ${this.id} has no state ${name}`);
  }

  eventIndex(name: E): number {
    return known(this.findEvent(name), `machine ${this.id} has no event ${name}`);
  }

  findState(name: string): number {
    return (this.states as readonly string[]).indexOf(name);
  }

  findEvent(name: string): number {
    return (this.events as readonly string[]).indexOf(name);
  }

  description(state: number): string {
    return this.#descriptions[state] ?? '';
  }
}

function known(index: number, message: string): number {
  if (index === NOT_FOUND) throw new RangeError(message);
  return index;
}
