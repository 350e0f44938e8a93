import type { AnyStateMachine, EventFromLogic, StateValueFrom } from 'xstate';
import { GridfoldError } from '../kernel/errors.ts';
import { type CompiledMachine, TableMachine } from './compiled.ts';
import { entered, leafStates, stateName, whatIsNotFlat } from './flat.ts';

type StateNode = AnyStateMachine['root'];

/** Names of a machine's states; `string` where they are nested or the definition does not give them away. */
export type StateName<M extends AnyStateMachine> = StateValueFrom<M> extends string ? StateValueFrom<M> : string;
/** Names of a machine's events. */
export type EventName<M extends AnyStateMachine> = EventFromLogic<M>['type'];

export interface CompileOptions {
  /**
   * Events in the order they shall have; those that the definition mentions beside them follow. Events that only a
   * wildcard (`*`) catches must stand here, since no definition names them.
   */
  readonly events?: readonly string[];
}

/**
 * Compiles an XState 5 machine to a table.
 *
 * Allowed: atomic states, flat or nested; transitions of a state, of a group of states, and of the root ("any");
 * the wildcard event `*`; a transition without target, which shields a state from one further out. Throws
 * GridfoldError `machine_not_flat` (fix-configuration) that lists every place a table cannot express.
 */
export function compileMachine<M extends AnyStateMachine>(
  machine: M,
  options: CompileOptions = {},
): CompiledMachine<StateName<M>, EventName<M>> {
  const places = whatIsNotFlat(machine);
  if (places.length > 0) {
    throw new GridfoldError(
      'machine_not_flat',
      'fix-configuration',
      `machine ${machine.id} cannot be a table: ${places.join('; ')}`,
    );
  }
  const leaves = leafStates(machine.root);
  const events = eventNames(machine, options.events ?? []);
  const table = new Uint8Array(leaves.length * events.length);
  const defined = new Uint8Array(table.length);
  leaves.forEach((leaf, state) => {
    events.forEach((event, column) => {
      const cell = state * events.length + column;
      const target = targetOf(leaf, event);
      table[cell] = target === null ? state : leaves.indexOf(target);
      defined[cell] = target === null ? 0 : 1;
    });
  });
  return new TableMachine({
    id: machine.id,
    version: machine.version ?? '1',
    states: leaves.map(stateName) as StateName<M>[],
    events: events as EventName<M>[],
    initial: leaves.indexOf(entered(machine.root)),
    table,
    defined,
    descriptions: leaves.map((leaf) => leaf.description ?? ''),
  });
}

/** The given names first, then those the definition mentions, from the outside inwards. */
function eventNames(machine: AnyStateMachine, given: readonly string[]): string[] {
  const names = new Set<string>(given);
  const collect = (node: StateNode): void => {
    for (const name of Object.keys(node.config.on ?? {})) if (name !== '*') names.add(name);
    for (const child of Object.values(node.states) as StateNode[]) collect(child);
  };
  collect(machine.root);
  return [...names];
}

/**
 * Where `event` leads from a leaf, or null. The innermost state that knows the event decides; in one state the event's
 * own name goes before the wildcard.
 */
function targetOf(leaf: StateNode, event: string): StateNode | null {
  for (let node: StateNode | undefined = leaf; node !== undefined; node = node.parent) {
    const [transition] = node.transitions.get(event) ?? node.transitions.get('*') ?? [];
    if (transition === undefined) continue;
    const target = transition.target?.[0];
    return target === undefined ? null : entered(target);
  }
  return null;
}
