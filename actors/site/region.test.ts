import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { regionKey } from './region-key.ts';
import { currentAfter, dataOf, MINUTE, START, type Told, to, told } from './testing/told.ts';

const iso = (ms: number) => new Date(ms).toISOString();
const region = (record: Told) => to('region', regionKey('north'), record);

function outage(site: string, seconds: number, end: number | null, version: number, intentional = false): Told {
  const from = START + seconds * 1000;
  const toTime = end === null ? null : START + end * 1000;
  const data = { gateway: `PW-${site}`, fromTime: from, toTime, intentional };
  return region(told(site, 'site', 'site_grid_event', `${site}/${iso(from)}`, from, data, version));
}

function row(site: string, minute: number, powerW: number, version: number, more: object = {}): Told {
  const start = START + minute * MINUTE;
  const data = {
    minute: start,
    membersExpected: 2,
    membersFresh: 2,
    oldestAgeMs: 1000,
    powerW,
    powerMinW: powerW,
    ...more,
  };
  return region(told(site, 'site', 'site_rollup', `${site}/${iso(start)}`, start, data, version));
}

describe('a region', () => {
  it('sees one event of the grid where sites go within 60 s of each other, and a local one where one goes', async () => {
    const current = await currentAfter([
      outage('A', 0, 900, 2),
      outage('B', 50, 600, 2),
      outage('C', 105, 700, 2),
      outage('D', 300, null, 2),
      outage('E', 10, 90, 2, true),
    ]);
    expect(dataOf(current, 'regional_grid_event')).toEqual([
      {
        region: 'north',
        fromTime: iso(START),
        toTime: iso(START + 900_000),
        sites: ['A', 'B', 'C'],
        siteCount: 3,
        class: 'regional',
      },
      { region: 'north', fromTime: iso(START + 300_000), toTime: null, sites: ['D'], siteCount: 1, class: 'local' },
    ]);
  });

  it('sums the newest rows of its sites; who is silent counts as unknown, not as nothing', async () => {
    const current = await currentAfter([
      row('A', 0, 1000, 2),
      row('B', 1, 500, 2),
      row('A', 3, 2000, 3, { powerW: null, powerMinW: null, membersFresh: 0 }),
    ]);
    expect(
      dataOf(current, 'region_rollup').map((d) => [
        d.sites,
        d.sitesUnknown,
        d.membersExpected,
        d.powerW,
        d.powerMinW,
        d.oldestAgeMs,
      ]),
    ).toEqual([
      [1, 0, 2, 1000, 1000, 1000],
      [2, 0, 4, 1500, 1500, 61_000],
      [2, 1, 4, 500, null, 121_000],
    ]);
  });

  it('says the same in whatever order its sites tell', async () => {
    const record = fc.record({
      site: fc.constantFrom('A', 'B', 'C'),
      at: fc.nat(9),
      w: fc.nat(99),
      kind: fc.boolean(),
      gone: fc.boolean(),
    });
    const records = fc.array(record, { minLength: 1, maxLength: 40 }).map((all) =>
      all.map(({ site, at, w, kind, gone }, i): Told => {
        const told = kind ? row(site, at, w, i + 2) : outage(site, at * 25, at * 25 + w, i + 2);
        return gone ? { ...told, op: 'retract' } : told;
      }),
    );
    const orders = records.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    await fc.assert(
      fc.asyncProperty(orders, async ([ordered, shuffled]) => {
        const expected = await currentAfter(ordered);
        expect(await currentAfter([...shuffled, ...shuffled])).toEqual(expected);
        const newest = new Map(ordered.filter((r) => r.type === 'site_rollup').map((r) => [r.key, r]));
        const held = [...newest.values()].filter(({ op }) => op === 'upsert');
        for (const { minute, powerW } of dataOf(expected, 'region_rollup')) {
          const sums = ['A', 'B', 'C'].map((site) =>
            held
              .filter((r) => r.serial === site && (r.data.minute as number) <= Date.parse(minute as string))
              .sort((a, b) => a.eventTime - b.eventTime)
              .at(-1),
          );
          expect(powerW).toBe(sums.reduce((sum, r) => sum + ((r?.data.powerW as number | undefined) ?? 0), 0));
        }
      }),
      { numRuns: 100 },
    );
  });
});
