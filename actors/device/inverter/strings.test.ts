import { describe, expect, it } from 'vitest';
import { Fed } from '../testing/harness.ts';

const MINUTE = 60_000;
const NOON = Date.UTC(2022, 6, 8, 12);
const running = { stateScheme: 'sunspec-701', stateCode: 3, powerW: 900 };
const asleep = { stateScheme: 'sunspec-701', stateCode: 1, powerW: 0 };

function strings(...readings: readonly (readonly [minute: number, fields: Record<string, unknown>])[]): Fed {
  const fed = new Fed('inverter').feed(NOON - 5 * MINUTE, { ...running, stringsTotal: 12, stringsConnected: 12 });
  for (const [minute, fields] of readings) fed.feed(NOON + minute * MINUTE, fields);
  return fed;
}

const outs = (fed: Fed) =>
  fed
    .data('string_out')
    .map((d) => [
      (Number(d.fromTime) - NOON) / MINUTE,
      d.toTime === null ? null : (Number(d.toTime) - NOON) / MINUTE,
      d.stringsOut,
      d.stringsTotal,
    ]);

describe('strings that are out', () => {
  it('are told once they have been for a quarter of an hour in the light, from when they were', () => {
    const p = strings([0, { ...running, stringsConnected: 11 }], [10, running]);
    expect(outs(p)).toEqual([]);
    p.feed(NOON + 20 * MINUTE, running);
    expect(outs(p)).toEqual([[0, null, 1, 12]]);
    p.feed(NOON + 30 * MINUTE, { ...running, stringsConnected: 9 });
    p.feed(NOON + 40 * MINUTE, { ...running, stringsConnected: 11 });
    p.feed(NOON + 50 * MINUTE, { ...running, stringsConnected: 12 });
    expect(outs(p)).toEqual([[0, 50, 3, 12]]);
    expect(p.list('string_out')[0].key).toBe('T-1/2022-07-08T12:00:00.000Z');
  });

  it('are no matter of a moment, nor of the night', () => {
    const moment = strings([0, { ...running, stringsConnected: 11 }], [10, { ...running, stringsConnected: 12 }]);
    expect(outs(moment.feed(NOON + 60 * MINUTE, running))).toEqual([]);
    const night = strings([0, { ...asleep, stringsConnected: 0 }], [60, asleep], [120, asleep]);
    expect(outs(night)).toEqual([]);
  });

  it('stay out over the night, whatever is told in the dark', () => {
    const p = strings(
      [0, { ...running, stringsConnected: 11 }],
      [20, running],
      [400, { ...asleep, stringsConnected: 12 }],
    );
    p.feed(NOON + 1100 * MINUTE, { ...running, stringsConnected: 11 });
    p.feed(NOON + 1110 * MINUTE, { ...running, stringsConnected: 12 });
    expect(outs(p)).toEqual([[0, 1110, 1, 12]]);
  });
});
