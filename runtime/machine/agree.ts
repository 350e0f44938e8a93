import { type AnyMachineSnapshot, type AnyStateMachine, transition } from 'xstate';
import { GridfoldError } from '../kernel/errors.ts';
import type { CompiledMachine } from './compiled.ts';

export interface AgreeOptions {
  /** Seed of the random walk; it stands in the message of a failure. */
  readonly seed?: number;
  /** Length of the random walk, in events. */
  readonly steps?: number;
}

/**
 * Proves that a table does what XState does with the definition: every (state, event) once, then a random walk.
 * Throws GridfoldError `machine_disagrees` (stop) at the first difference.
 */
export function assertAgrees(machine: AnyStateMachine, compiled: CompiledMachine, options: AgreeOptions = {}): void {
  const { seed = 1, steps = 1_000 } = options;
  compiled.states.forEach((name, state) => {
    compiled.events.forEach((_, event) => {
      compare(machine, compiled, snapshotIn(machine, name), state, event, 'exhaustive');
    });
  });
  const random = mulberry32(seed);
  let snapshot = machine.getInitialSnapshot(undefined as never, undefined as never) as AnyMachineSnapshot;
  let state = compiled.initial;
  if (nameOf(snapshot.value) !== compiled.states[state]) {
    throw disagreement(machine, `initial is ${nameOf(snapshot.value)}, the table says ${compiled.states[state]}`);
  }
  for (let step = 0; step < steps && compiled.events.length > 0; step++) {
    const event = Math.floor(random() * compiled.events.length);
    snapshot = compare(machine, compiled, snapshot, state, event, `seed ${seed}, step ${step}`);
    state = compiled.next(state, event);
  }
}

function compare(
  machine: AnyStateMachine,
  compiled: CompiledMachine,
  snapshot: AnyMachineSnapshot,
  state: number,
  event: number,
  where: string,
): AnyMachineSnapshot {
  const [after] = transition(machine, snapshot, { type: compiled.events[event] });
  const expected = nameOf((after as AnyMachineSnapshot).value);
  const actual = compiled.states[compiled.next(state, event)];
  if (expected !== actual) {
    const from = `${compiled.states[state]} on ${compiled.events[event]}`;
    throw disagreement(machine, `${from} leads to ${expected}, the table says ${actual} (${where})`);
  }
  return after as AnyMachineSnapshot;
}

function disagreement(machine: AnyStateMachine, message: string): GridfoldError {
  return new GridfoldError('machine_disagrees', 'stop', `machine ${machine.id}: ${message}`);
}

/** XState's snapshot of the machine in a leaf state. */
export function snapshotIn(machine: AnyStateMachine, name: string): AnyMachineSnapshot {
  const path = name.split('.');
  let value: unknown = path.pop();
  for (const key of path.reverse()) value = { [key]: value };
  return machine.resolveState({ value: value as string, context: {} });
}

/** Path of a state value: `{running: 'throttled'}` is `running.throttled`. */
export function nameOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[key, inner]] = Object.entries(value as Record<string, unknown>);
  return `${key}.${nameOf(inner)}`;
}

function mulberry32(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
