/**
 * Transitions per second: XState's public `transition()` against the compiled table, same machine, same events, in turns.
 *
 *   node bench/machine.ts [seconds per turn] [turns]
 */
import { createMachine, transition } from 'xstate';
import { compileMachine } from '../runtime/machine/compile.ts';

const machine = createMachine({
  id: 'battery',
  initial: 'standby',
  on: { FAULT: '.faulted', OFF: '.off' },
  states: {
    standby: { on: { CHARGE: 'charging', DISCHARGE: 'discharging', DISABLE: 'disabled' } },
    charging: { on: { IDLE: 'standby', DISCHARGE: 'discharging' } },
    discharging: { on: { IDLE: 'standby', CHARGE: 'charging' } },
    disabled: { on: { ENABLE: 'standby' } },
    faulted: { on: { CLEAR: 'standby' } },
    off: { on: { ENABLE: 'standby' } },
  },
});
const table = compileMachine(machine);
const [seconds, turns] = [Number(process.argv[2] ?? 1), Number(process.argv[3] ?? 5)];
const EVENTS = 4_096;
// A fixed sequence; 40_503 is odd, so that all residues come up.
const sequence = Uint8Array.from({ length: EVENTS }, (_, i) => ((i * 40_503) >>> 4) % table.events.length);
const objects = table.events.map((type) => ({ type }));

function xstate(): number {
  let snapshot = machine.getInitialSnapshot(undefined as never, undefined as never);
  for (let i = 0; i < EVENTS; i++) [snapshot] = transition(machine, snapshot, objects[sequence[i]] as never);
  return table.findState(String(snapshot.value));
}

function compiled(): number {
  let state = table.initial;
  for (let i = 0; i < EVENTS; i++) state = table.next(state, sequence[i]);
  return state;
}

function perSecond(run: () => number): number {
  const start = performance.now();
  let rounds = 0;
  for (; performance.now() - start < seconds * 1_000; rounds++) run();
  return (rounds * EVENTS) / ((performance.now() - start) / 1_000);
}

if (xstate() !== compiled()) throw new Error('the two disagree');
const rates: { xstate: number[]; table: number[] } = { xstate: [], table: [] };
for (let turn = 0; turn < turns; turn++) {
  rates.xstate.push(perSecond(xstate));
  rates.table.push(perSecond(compiled));
}

const spread = (values: number[]): { min: number; median: number; max: number } => {
  const sorted = values.map(Math.round).sort((a, b) => a - b);
  return { min: sorted[0], median: sorted[sorted.length >> 1], max: sorted[sorted.length - 1] };
};
console.log(
  JSON.stringify({
    bench: 'machine',
    unit: 'transitions/s',
    node: process.version,
    xstate: spread(rates.xstate),
    table: spread(rates.table),
    ratio: Math.round(spread(rates.table).median / spread(rates.xstate).median),
  }),
);
