import type { AnyStateMachine } from 'xstate';

type StateNode = AnyStateMachine['root'];

/** At most so many leaf states: a state is one byte in the table. */
export const MAX_STATES = 256;

/**
 * Everything in the definition that a table cannot say, as `place: reason`; empty when the machine is flat.
 *
 * A table knows one state at a time and nothing but (state, event) -> state. So there are no parallel or final states,
 * no history, guards, actions, delays, invocations, eventless transitions or prefixes of event names. What depends on
 * values belongs into the fold, which turns it into an event.
 */
export function whatIsNotFlat(machine: AnyStateMachine): string[] {
  const found: string[] = [];
  if (Object.keys(machine.root.states).length === 0) found.push(`${machine.id}: has no states`);
  visit(machine.root, found);
  const leaves = leafStates(machine.root).length;
  if (leaves > MAX_STATES) found.push(`${machine.id}: ${leaves} states, a table holds ${MAX_STATES}`);
  return found;
}

/** States without children, in the order of the definition. */
export function leafStates(node: StateNode): StateNode[] {
  const children = Object.values(node.states) as StateNode[];
  return children.length === 0 ? [node] : children.flatMap(leafStates);
}

/** The leaf that is entered when `node` is: itself, or the initial one below it. */
export function entered(node: StateNode): StateNode {
  let at = node;
  while (Object.keys(at.states).length > 0) at = at.initial.target[0];
  return at;
}

/** Path of a state below the root, joined with dots. */
export function stateName(node: StateNode): string {
  return node.path.join('.');
}

function visit(node: StateNode, found: string[]): void {
  const place = node.path.length === 0 ? node.id : stateName(node);
  if (node.type === 'parallel' || node.type === 'history' || node.type === 'final') {
    found.push(`${place}: type ${node.type}`);
  }
  if (node.entry.length > 0) found.push(`${place}: entry actions`);
  if (node.exit.length > 0) found.push(`${place}: exit actions`);
  if (node.invoke.length > 0) found.push(`${place}: invoke`);
  if (node.config.after !== undefined) found.push(`${place}: after (delayed transitions)`);
  if (node.config.always !== undefined) found.push(`${place}: always (eventless transitions)`);
  if (node.config.onDone !== undefined) found.push(`${place}: onDone`);
  visitTransitions(node, place, found);
  for (const child of Object.values(node.states) as StateNode[]) visit(child, found);
}

function visitTransitions(node: StateNode, place: string, found: string[]): void {
  const ownEvents = Object.keys(node.config.on ?? {});
  for (const event of ownEvents) {
    const where = `${place} on ${event}`;
    if (event !== '*' && event.includes('*')) found.push(`${where}: prefix of event names`);
    const candidates = node.transitions.get(event) ?? [];
    if (candidates.length > 1) found.push(`${where}: ${candidates.length} candidates`);
    for (const transition of candidates) {
      if (transition.guard !== undefined) found.push(`${where}: guard`);
      if (transition.actions.length > 0) found.push(`${where}: actions`);
      if ((transition.target?.length ?? 0) > 1) found.push(`${where}: several targets`);
      if (transition.target?.some((target: StateNode) => target.type === 'history')) found.push(`${where}: history`);
    }
  }
}
