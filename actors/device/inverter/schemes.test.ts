import { describe, expect, it } from 'vitest';
import { Reading } from '../../../runtime/shard/reading.ts';
import { deviceType, kinds } from '../index.ts';
import { Fed } from '../testing/harness.ts';
import { inverterFields, STATE_SCHEMES } from './fields.ts';
import { operationRegion } from './operation.machine.ts';
import { eventOfState, NO_EVENT } from './schemes.ts';

const NOON = Date.UTC(2022, 6, 8, 12);
const { table } = operationRegion;

/** State that each number leads to, of all from 0 to 20. */
const statesOf = (scheme: (typeof STATE_SCHEMES)[number]) =>
  Array.from({ length: 21 }, (_, code) => {
    const event = eventOfState(STATE_SCHEMES.indexOf(scheme), code);
    return event === NO_EVENT ? null : table.states[table.next(table.stateIndex('unknown'), event)];
  });
const WORDS = ['off', 'sleeping', 'starting', 'running', 'throttled', 'shuttingDown', 'faulted', 'standby'];

describe('numbers of states', () => {
  it('of SunSpec 103 begin at 1, those of 701 at 0, with the same words and none beside them', () => {
    const rest = (from: number) => Array.from({ length: 21 - from }, () => null);
    expect(statesOf('sunspec-103')).toEqual([null, ...WORDS, ...rest(9)]);
    expect(statesOf('sunspec-701')).toEqual([...WORDS, ...rest(8)]);
  });

  it('say nothing between whole numbers, below zero, and without a scheme', () => {
    for (let scheme = 0; scheme < 2; scheme++) {
      for (const code of [-1, 3.5, 255, 0xffff, Number.NaN]) expect(eventOfState(scheme, code)).toBe(NO_EVENT);
    }
    for (let code = 0; code < 100; code++) expect(eventOfState(255, code)).toBe(NO_EVENT);
  });
});

describe('a scheme that nobody knows', () => {
  const strange = { stateScheme: 'sunspec-999', stateCode: 6, powerW: 0 };

  it('is an invalid value, so that the reading counts as invalid, and its number is kept', () => {
    const bytes = new TextEncoder().encode(
      JSON.stringify({ serial: 'T-1', kind: 'inverter', deviceTime: NOON, fields: strange }),
    );
    const reading = new Reading();
    expect(deviceType.createDecoder().decode(bytes, 0, bytes.length, NOON, reading)).toBe(0);
    expect(kinds[reading.kind].name).toBe('inverter');
    const bit = 1 << inverterFields.findIndex((f) => f.name === 'stateScheme');
    expect(reading.invalid).toBe(bit);
    const fed = new Fed('inverter').feed(NOON, strange);
    expect(fed.state('operation')).toBe('unknown');
    expect(fed.cursor.getAt(fed.kind.state.index('stateCode'))).toBe(6);
  });

  it('does not lend its numbers to the scheme before, until one is told that is known', () => {
    const fed = new Fed('inverter')
      .feed(NOON, { stateScheme: 'sunspec-701', stateCode: 3, powerW: 900 })
      .feed(NOON + 60_000, strange)
      .feed(NOON + 120_000, { stateCode: 6 });
    expect(fed.state('operation')).toBe('running');
    expect(fed.data('fault')).toEqual([]);
    fed.feed(NOON + 180_000, { stateScheme: 'sunspec-701', stateCode: 6 });
    expect(fed.state('operation')).toBe('faulted');
  });
});
