import fc from 'fast-check';
import { createMachine, setup } from 'xstate';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { GridfoldError } from '../kernel/errors.ts';
import { assertAgrees } from './agree.ts';
import { compileMachine } from './compile.ts';
import { TableMachine } from './compiled.ts';
import { ANY, graphOf, toMermaid } from './graph.ts';
import { defineRegion } from './region.ts';

const breaker = setup({
  types: { events: {} as { type: 'CLOSE' } | { type: 'OPEN' } | { type: 'TRIP' } },
}).createMachine({
  id: 'breaker',
  version: '3',
  initial: 'open',
  on: { TRIP: '.tripped' },
  states: {
    open: { description: 'No current flows', on: { CLOSE: 'closed' } },
    closed: { on: { OPEN: 'open' } },
    tripped: { on: { OPEN: 'open', TRIP: {} } },
  },
});

function refusal(config: object): string {
  try {
    compileMachine(createMachine({ id: 'm', ...config } as Parameters<typeof createMachine>[0]));
  } catch (error) {
    expect((error as GridfoldError).code).toBe('machine_not_flat');
    return (error as Error).message;
  }
  return 'compiled';
}

describe('compileMachine', () => {
  it('makes a table of a flat machine', () => {
    const table = compileMachine(breaker);
    expect(table).toMatchObject({ id: 'breaker', version: '3', initial: 0, states: ['open', 'closed', 'tripped'] });
    expect([...table.events].sort()).toEqual(['CLOSE', 'OPEN', 'TRIP']);
    const go = (from: 'open' | 'closed' | 'tripped', event: 'CLOSE' | 'OPEN' | 'TRIP'): string =>
      table.states[table.next(table.stateIndex(from), table.eventIndex(event))];
    expect(go('open', 'CLOSE')).toBe('closed');
    expect(go('open', 'OPEN')).toBe('open');
    expect(go('closed', 'TRIP')).toBe('tripped');
    expect(table.has(table.stateIndex('open'), table.eventIndex('OPEN'))).toBe(false);
    expect(table.has(table.stateIndex('open'), table.eventIndex('TRIP'))).toBe(true);
    // A transition without target shields the state from the root's.
    expect(table.has(table.stateIndex('tripped'), table.eventIndex('TRIP'))).toBe(false);
    expect(table.description(0)).toBe('No current flows');
    assertAgrees(breaker, table);
  });

  it('knows names by their index and refuses others', () => {
    const table = compileMachine(breaker);
    expect(table.findState('nowhere')).toBe(-1);
    expect(() => table.stateIndex('nowhere' as 'open')).toThrow(RangeError);
    expect(() => table.eventIndex('NEVER' as 'OPEN')).toThrow('machine breaker has no event NEVER');
    expectTypeOf(table.states).toEqualTypeOf<readonly ('open' | 'closed' | 'tripped')[]>();
    expectTypeOf(table.events).toEqualTypeOf<readonly ('CLOSE' | 'OPEN' | 'TRIP')[]>();
  });

  it('resolves groups, relative targets and wildcards', () => {
    const machine = createMachine({
      id: 'inverter',
      initial: 'off',
      states: {
        off: { on: { START: 'running.throttled', '*': 'lost' } },
        running: {
          initial: 'mppt',
          on: { STOP: 'off', RESET: '.mppt', AGAIN: 'running' },
          states: { mppt: { on: { LIMIT: 'throttled', STOP: {} } }, throttled: {} },
        },
        lost: {},
      },
    });
    const table = compileMachine(machine, { events: ['NOISE', 'STOP'] });
    expect(table.states).toEqual(['off', 'running.mppt', 'running.throttled', 'lost']);
    expect(table.events.slice(0, 2)).toEqual(['NOISE', 'STOP']);
    assertAgrees(machine, table, { seed: 7, steps: 500 });
    expect(table.next(table.findState('off'), table.findEvent('NOISE'))).toBe(table.findState('lost'));
    expect(table.next(table.findState('running.mppt'), table.findEvent('STOP'))).toBe(table.findState('running.mppt'));
  });

  it('lists every place that a table cannot express', () => {
    const message = refusal({
      initial: 'a',
      entry: () => {},
      states: {
        a: { on: { GO: { target: 'b', guard: () => true }, LOG: { actions: () => {} } }, after: { 100: 'b' } },
        b: { always: 'c', exit: () => {}, on: { 'x.*': 'a', TWO: [{ target: 'a' }, { target: 'c' }] } },
        c: { type: 'parallel', states: { p: {}, q: {} } },
        d: { initial: 'x', states: { x: {}, h: { type: 'history' } }, invoke: { src: 'job' } },
        e: { type: 'final' },
      },
    });
    for (const place of [
      'm: entry actions',
      'a on GO: guard',
      'a on LOG: actions',
      'a: after',
      'b: always',
      'b: exit actions',
      'b on x.*: prefix of event names',
      'b on TWO: 2 candidates',
      'c: type parallel',
      'd.h: type history',
      'd: invoke',
      'e: type final',
    ]) {
      expect(message).toContain(place);
    }
  });

  it('refuses a machine without states, and one with more than a byte can number', () => {
    expect(refusal({})).toContain('has no states');
    const states = Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`s${i}`, {}]));
    expect(refusal({ initial: 's0', states })).toContain('257 states, a table holds 256');
  });
});

describe('assertAgrees', () => {
  it('finds one wrong cell', () => {
    const right = compileMachine(breaker);
    const table = Uint8Array.from(right.table);
    table[right.eventIndex('CLOSE')] = 2;
    const wrong = new TableMachine({ ...right, table, defined: new Uint8Array(table.length), descriptions: [] });
    expect(() => assertAgrees(breaker, wrong)).toThrow('open on CLOSE leads to closed, the table says tripped');
  });

  it('holds for random machines', () => {
    fc.assert(
      fc.property(randomConfig(), fc.nat(), (config, seed) => {
        const machine = createMachine(config as Parameters<typeof createMachine>[0]);
        assertAgrees(machine, compileMachine(machine, { events: EVENTS }), { seed, steps: 60 });
      }),
      { numRuns: 150 },
    );
  });
});

describe('defineRegion', () => {
  it('gives the definition and its table, with names the compiler knows', () => {
    const grid = defineRegion('grid', ['LOST', 'BACK'], {
      version: '2',
      initial: 'connected',
      on: { LOST: '.islanded' },
      states: { connected: {}, islanded: { on: { BACK: 'connected' } } },
    });
    expect(grid.table.events).toEqual(['LOST', 'BACK']);
    expect(grid.table.version).toBe('2');
    expectTypeOf(grid.table.states).toEqualTypeOf<readonly ('connected' | 'islanded')[]>();
    assertAgrees(grid.machine, grid.table);
    // @ts-expect-error a misspelt target is found by the type checker, and by XState when it is not
    expect(() => defineRegion('bad', ['X'], { initial: 'a', states: { a: { on: { X: 'bb' } }, b: {} } })).toThrow();
  });
});

describe('graph', () => {
  const table = compileMachine(breaker);

  it('draws an event that leads everywhere to one state as one edge', () => {
    const { edges, initial } = graphOf(table);
    expect(initial).toBe('open');
    expect(edges).toContainEqual({ from: ANY, to: 'tripped', events: ['TRIP'] });
    expect(edges).toContainEqual({ from: 'open', to: 'closed', events: ['CLOSE'] });
    expect(edges.filter((edge) => edge.from === 'open')).toHaveLength(1);
  });

  it('is Mermaid text', () => {
    expect(toMermaid(table).split('\n').slice(0, 5)).toEqual([
      'stateDiagram-v2',
      '  state "open" as s0',
      '  state "closed" as s1',
      '  state "tripped" as s2',
      '  [*] --> s0',
    ]);
    expect(toMermaid(table)).toContain('any --> s2: TRIP');
  });
});

const EVENTS = ['A', 'B', 'C', 'D', 'E'];

/** Machines of one to five top states, some of them groups, with transitions at all levels, wildcards and shields. */
function randomConfig(): fc.Arbitrary<object> {
  const shape = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 5 });
  return shape.chain((groups) => {
    const paths = groups.flatMap((size, i) => [`s${i}`, ...Array.from({ length: size }, (_, k) => `s${i}.t${k}`)]);
    const target = fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...paths).map((path) => ({ target: `#m.${path}` })) },
      { weight: 1, arbitrary: fc.constant({}) },
    );
    const on = fc.dictionary(fc.constantFrom(...EVENTS, '*'), target, { maxKeys: 4, noNullPrototype: true });
    const nodes = groups.map((size, i) =>
      fc.tuple(on, fc.array(on, { minLength: size, maxLength: size }), fc.nat()).map(([outer, inner, first]) => {
        const states = Object.fromEntries(inner.map((transitions, k) => [`t${k}`, { on: transitions }]));
        return [`s${i}`, size === 0 ? { on: outer } : { on: outer, initial: `t${first % size}`, states }] as const;
      }),
    );
    return fc.tuple(on, fc.tuple(...nodes), fc.nat({ max: groups.length - 1 })).map(([root, states, first]) => ({
      id: 'm',
      initial: `s${first}`,
      on: root,
      states: Object.fromEntries(states),
    }));
  });
}
