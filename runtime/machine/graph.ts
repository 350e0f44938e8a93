import type { CompiledMachine } from './compiled.ts';

/** `from` of an edge that starts at every state. */
export const ANY = '*';

export interface MachineGraph {
  readonly id: string;
  readonly version: string;
  readonly initial: string;
  readonly states: readonly { readonly name: string; readonly description: string }[];
  readonly edges: readonly { readonly from: string; readonly to: string; readonly events: readonly string[] }[];
}

/**
 * The machine as people draw it: one edge per pair of states, with its events. An event that leads every other state
 * to the same target is one edge from {@link ANY}. Transitions to the same state are left out.
 */
export function graphOf(machine: CompiledMachine): MachineGraph {
  const edges = new Map<string, { from: string; to: string; events: string[] }>();
  const draw = (from: string, to: string, event: string): void => {
    const id = `${from}\n${to}`;
    const edge = edges.get(id) ?? { from, to, events: [] };
    edge.events.push(event);
    edges.set(id, edge);
  };
  const drawEach = (event: string, e: number): void => {
    machine.states.forEach((from, s) => {
      const to = machine.next(s, e);
      if (to !== s) draw(from, machine.states[to], event);
    });
  };
  machine.events.forEach((event, e) => {
    const common = commonTarget(machine, e);
    if (common !== null) draw(ANY, machine.states[common], event);
    else drawEach(event, e);
  });
  return {
    id: machine.id,
    version: machine.version,
    initial: machine.states[machine.initial],
    states: machine.states.map((name, s) => ({ name, description: machine.description(s) })),
    edges: [...edges.values()],
  };
}

/** The machine as a Mermaid state diagram. */
export function toMermaid(machine: CompiledMachine): string {
  const graph = graphOf(machine);
  const alias = new Map(graph.states.map(({ name }, i) => [name, `s${i}`]));
  const lines = ['stateDiagram-v2'];
  for (const { name } of graph.states) lines.push(`  state "${name}" as ${alias.get(name)}`);
  lines.push(`  [*] --> ${alias.get(graph.initial)}`);
  if (graph.edges.some((edge) => edge.from === ANY)) lines.push('  state "any state" as any');
  for (const { from, to, events } of graph.edges) {
    lines.push(`  ${from === ANY ? 'any' : alias.get(from)} --> ${alias.get(to)}: ${events.join(', ')}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The state that `event` leads every other state to, or null. Needs at least three states to be worth drawing so. */
function commonTarget(machine: CompiledMachine, event: number): number | null {
  const moved = machine.states.map((_, s) => machine.next(s, event)).filter((to, s) => to !== s);
  const [target] = moved;
  if (machine.states.length < 3 || moved.length < machine.states.length - 1) return null;
  return moved.every((to) => to === target) ? target : null;
}
