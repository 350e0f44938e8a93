import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packState, restoreState, StateBuffer } from '../../runtime/shard/base.ts';
import { difference, FactMap } from '../../runtime/shard/facts.ts';
import { Fed } from './testing/harness.ts';
import { randomReadings, type Told } from './testing/random-readings.ts';

const KINDS = ['powerwall', 'inverter', 'supercharger', 'megapack'] as const;
const CONFIG = { cadenceMs: 300_000, timeZone: 'America/Los_Angeles' };
const RUNS = Number(process.env.GRIDFOLD_PROPERTY_RUNS ?? 60);

function feedAll(kind: string, readings: readonly Told[], from: Uint8Array | null = null): Fed {
  const fed = new Fed(kind, CONFIG);
  if (from !== null) restoreState(fed.cursor, from);
  for (const { time, fields } of readings) fed.feed(time, fields);
  return fed;
}

function pack(fed: Fed): Uint8Array {
  return packState(fed.cursor, new StateBuffer()).slice();
}

/** Facts said so far, and those that are open: what the tables show. */
function shown(fed: Fed, stages = 0): FactMap {
  const map = new FactMap();
  for (const [id, fact] of fed.facts.byKey) map.byKey.set(id, fact);
  for (let stage = 1; stage <= stages; stage++) fed.kind.elapse(fed.cursor, stage, fed.config, map);
  fed.kind.open(fed.cursor, fed.config, map);
  return map;
}

function plain(map: FactMap): Record<string, unknown> {
  const rows = [...map.byKey].map(([id, f]): [string, unknown] => [id, { at: f.eventTime, data: f.data }]);
  return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe.each(KINDS)('%s', (kind) => {
  const readings = randomReadings(kind, 25);

  it('folds purely: the same readings make the same facts and the same state', () => {
    fc.assert(
      fc.property(readings, (list) => {
        const [one, two] = [feedAll(kind, list), feedAll(kind, list)];
        expect(plain(shown(one))).toEqual(plain(shown(two)));
        expect(pack(one)).toEqual(pack(two));
      }),
      { numRuns: RUNS },
    );
  });

  it('goes on from a packed state as if it had never stopped', () => {
    fc.assert(
      fc.property(readings, fc.nat(), (list, at) => {
        const k = at % (list.length + 1);
        const first = feedAll(kind, list.slice(0, k));
        const second = feedAll(kind, list.slice(k), pack(first));
        const whole = feedAll(kind, list);
        const joined = new FactMap();
        for (const part of [first.facts, shown(second)]) for (const [id, f] of part.byKey) joined.byKey.set(id, f);
        expect(plain(joined)).toEqual(plain(shown(whole)));
        expect(pack(second)).toEqual(pack(whole));
      }),
      { numRuns: RUNS },
    );
  });

  it('states intervals that neither overlap nor leave holes, and that agree with the transitions', () => {
    fc.assert(
      fc.property(readings, (list) => {
        const fed = feedAll(kind, list);
        const regions = new Set(fed.data('state_interval').map((d) => d.region));
        for (const region of regions) {
          const intervals = fed.data('state_interval').filter((d) => d.region === region);
          expect(intervals[0].fromTime).toBe(list[0].time);
          intervals.forEach((d, i) => {
            expect(d.toTime).toBe(intervals[i + 1]?.fromTime ?? null);
          });
          expect(intervals.at(-1)?.state).toBe(fed.state(String(region)));
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('conserves energy: the rows add up to the totals', () => {
    fc.assert(
      fc.property(readings, (list) => {
        const fed = feedAll(kind, list);
        const rows = fed.data('energy_interval');
        const sum = (name: string) => rows.reduce((wh, d) => wh + Number(d[name]), 0);
        // Each row is rounded to a millionth of a Wh, and there may be thousands.
        expect(Math.abs(sum('outWh') - fed.view.energy.outWh)).toBeLessThanOrEqual(1e-6 * (rows.length + 1));
        expect(Math.abs(sum('inWh') - fed.view.energy.inWh)).toBeLessThanOrEqual(1e-6 * (rows.length + 1));
        for (const { coverage } of rows) {
          expect(coverage).toBeGreaterThanOrEqual(0);
          expect(coverage).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('a late reading, folded from any base before it, ends in the facts of the right order', () => {
    fc.assert(
      fc.property(readings, fc.nat(), fc.nat(), (list, which, base) => {
        const i = which % list.length;
        const k = base % (i + 1);
        const without = list.filter((_, n) => n !== i);
        const published = shown(feedAll(kind, without));
        const from = pack(feedAll(kind, list.slice(0, k)));
        const before = shown(feedAll(kind, without.slice(k), from));
        const after = shown(feedAll(kind, list.slice(k), from));
        for (const { fact, op } of difference(before, after, true)) {
          if (op === 'retract') published.byKey.delete(`${fact.type.name}\n${fact.key}`);
          else published.emit(fact.type, fact.key, fact.eventTime, fact.data);
        }
        expect(plain(published)).toEqual(plain(shown(feedAll(kind, list))));
      }),
      { numRuns: RUNS * 2 },
    );
  });

  it('a silence that timers saw first ends in the facts of a backfill', () => {
    fc.assert(
      fc.property(readings, fc.nat(), (list, at) => {
        const k = 1 + (at % list.length);
        if (k >= list.length) return;
        const distance = list[k].time - list[k - 1].time;
        const limits = feedAll(kind, []).kind.silenceLimits(CONFIG);
        const stages = distance > limits[1] ? 2 : distance > limits[0] ? 1 : 0;
        const published = feedAll(kind, list.slice(0, k));
        const state = pack(published);
        const said = shown(feedAll(kind, [], state), stages);
        const truth = shown(feedAll(kind, list.slice(k, k + 1), state));
        const tables = new FactMap();
        for (const part of [published.facts, said]) for (const [id, f] of part.byKey) tables.byKey.set(id, f);
        for (const { fact, op } of difference(said, truth, true)) {
          if (op === 'retract') tables.byKey.delete(`${fact.type.name}\n${fact.key}`);
          else tables.emit(fact.type, fact.key, fact.eventTime, fact.data);
        }
        expect(plain(tables)).toEqual(plain(shown(feedAll(kind, list.slice(0, k + 1)))));
      }),
      { numRuns: RUNS * 2 },
    );
  });
});
