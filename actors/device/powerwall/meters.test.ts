import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fed } from '../testing/harness.ts';

const MINUTE = 60_000;
const QUARTER = 15 * MINUTE;
const NOON = Date.UTC(2022, 6, 8, 12);

const home = (config = {}) => new Fed('powerwall', config);
const rows = (fed: Fed) =>
  fed
    .list('meter_interval')
    .map(({ at, data: d }) => [(at - NOON) / QUARTER, d.loadWh, d.solarWh, d.importWh, d.exportWh, d.coverage]);

describe('meters of a home', () => {
  it('hold their power until the next one, import and export apart', () => {
    const p = home()
      .feed(NOON, { siteW: 1200, loadW: 1800, solarW: 600 })
      .feed(NOON + 10 * MINUTE, { siteW: -600, loadW: 0, solarW: 600 })
      .feed(NOON + 20 * MINUTE, { siteW: 0, loadW: 0, solarW: 0 });
    expect(rows(p)).toEqual([
      [0, 300, 150, 200, 50, 1],
      [1, 0, 50, 0, 50, 5 / 15],
    ]);
    expect(p.list('meter_interval')[0].key).toBe('T-1/2022-07-08T12:00:00.000Z/900');
  });

  it('hold it for 15 minutes or two cadences at most', () => {
    const hour = (config = {}) =>
      rows(
        home(config)
          .feed(NOON, { loadW: 1000 })
          .feed(NOON + 60 * MINUTE, { loadW: 0 }),
      );
    expect(hour()).toEqual([[0, 250, null, null, null, 1]]);
    expect(hour({ cadenceMs: 10 * MINUTE }).map((r) => r[5])).toEqual([1, 5 / 15]);
  });

  it('go on through readings that tell other things, each meter for itself', () => {
    const p = home()
      .feed(NOON, { loadW: 1200, siteW: 1200 })
      .feed(NOON + 10 * MINUTE, { loadW: 600, soc: 0.5 })
      .feed(NOON + 25 * MINUTE, { loadW: 600, siteW: 600 });
    expect(rows(p)).toEqual([
      [0, 250, null, 300, 0, 1],
      [1, 100, null, 0, 0, 0],
    ]);
  });

  it('end at a report that is marked invalid', () => {
    const p = home()
      .feed(NOON, { loadW: 1200, siteW: 1200 })
      .feed(NOON + 5 * MINUTE, { loadW: null, siteW: 1200 })
      .feed(NOON + 10 * MINUTE, { loadW: 1200, siteW: 1200 })
      .feed(NOON + 15 * MINUTE, { powerW: 0 });
    expect(rows(p)).toEqual([[0, 200, null, 300, 0, 10 / 15]]);
  });

  it('end at zeros that stand for missing data, until each tells again', () => {
    const zeros = { powerW: 0, siteW: 0, loadW: 0, solarW: 0, soc: 0 };
    const p = home()
      .feed(NOON, { powerW: 0, siteW: 600, loadW: 1200, solarW: 600 })
      .feed(NOON + 5 * MINUTE, zeros)
      .feed(NOON + 10 * MINUTE, { powerW: 0, siteW: 600, solarW: 600 })
      .feed(NOON + 15 * MINUTE, { powerW: 0, siteW: 600, loadW: 1200, solarW: 600 });
    expect(rows(p)).toEqual([[0, 100, 100, 100, 0, 5 / 15]]);
  });

  it('are no matter of a battery that has none', () => {
    const p = home()
      .feed(NOON, { powerW: 1000, soc: 0.5 })
      .feed(NOON + QUARTER, { powerW: 1000 });
    expect(rows(p)).toEqual([]);
    expect(p.cursor.offsets[p.kind.state.index('meterLoadWh')]).toBe(-1);
  });

  it('cover what a plain second computation covers', () => {
    const watts = fc.option(fc.integer({ min: -5000, max: 5000 }), { freq: 4 });
    const reading = fc.record({
      after: fc.integer({ min: 1, max: 2400 }),
      site: watts,
      load: watts,
      solar: fc.constantFrom(undefined, 0, 700),
    });
    fc.assert(
      fc.property(fc.array(reading, { minLength: 2, maxLength: 30 }), (list) => {
        const p = home();
        const plain = new Map<
          number,
          { importWh: number; exportWh: number; loadWh: number; solarWh: number; ms: number }
        >();
        const told = {
          site: { at: 0, w: Number.NaN },
          load: { at: 0, w: Number.NaN },
          solar: { at: 0, w: Number.NaN },
        };
        let t = NOON;
        const cell = (ms: number) => {
          const q = Math.floor(ms / QUARTER);
          const row = plain.get(q) ?? { importWh: 0, exportWh: 0, loadWh: 0, solarWh: 0, ms: 0 };
          plain.set(q, row);
          return row;
        };
        // All meters are known from the start, so that coverage means all three.
        const [first, ...rest] = [{ after: 0, site: 100, load: 100, solar: 0 }, ...list];
        for (const r of [first, ...rest]) {
          const next = t + r.after * 1000;
          for (let s = t; s < next; s += 1000) {
            const knows = (m: { at: number; w: number }) => !Number.isNaN(m.w) && s < m.at + QUARTER;
            if (knows(told.site)) {
              if (told.site.w > 0) cell(s).importWh += told.site.w / 3600;
              else cell(s).exportWh -= told.site.w / 3600;
            }
            if (knows(told.load)) cell(s).loadWh += told.load.w / 3600;
            if (knows(told.solar)) cell(s).solarWh += told.solar.w / 3600;
            if (knows(told.site) && knows(told.load) && knows(told.solar)) cell(s).ms += 1000;
          }
          t = next;
          const solar = r.solar === undefined ? {} : { solarW: r.solar };
          p.feed(t, { siteW: r.site, loadW: r.load, soc: 0.5, ...solar });
          told.site = { at: t, w: r.site ?? Number.NaN };
          told.load = { at: t, w: r.load ?? Number.NaN };
          if (r.solar !== undefined) told.solar = { at: t, w: r.solar };
        }
        for (const { at, data } of p.list('meter_interval')) {
          const row = plain.get(at / QUARTER);
          expect(data.importWh).toBeCloseTo(row?.importWh ?? 0, 4);
          expect(data.exportWh).toBeCloseTo(row?.exportWh ?? 0, 4);
          expect(data.solarWh).toBeCloseTo(row?.solarWh ?? 0, 4);
          expect(data.loadWh).toBeCloseTo(row?.loadWh ?? 0, 4);
          expect(data.coverage).toBeCloseTo((row?.ms ?? 0) / QUARTER, 9);
          plain.delete(at / QUARTER);
        }
        for (const row of plain.values()) expect(row.ms + Math.abs(row.importWh) + Math.abs(row.exportWh)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
