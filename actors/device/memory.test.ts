import { describe, expect, it } from 'vitest';
import { Fed } from './testing/harness.ts';

const START = Date.UTC(2022, 6, 8);

/** Bytes per asset of the columns that are in use. */
function columnBytes(fed: Fed): number {
  const { schema, offsets } = fed.cursor;
  return schema.names.reduce((sum, _, c) => (offsets[c] < 0 ? sum : sum + schema.widths[c]), 0);
}

describe('memory of an asset', () => {
  it('with the reference fields is at most 230 bytes, what the engine keeps included', () => {
    const p = new Fed('powerwall', { cadenceMs: 10_000 });
    for (let i = 0; i < 500; i++) {
      p.feed(START + i * 10_000, {
        powerW: i % 100 < 50 ? 3000 : -3000,
        soc: 0.5,
        energyOutWh: 1000 + i,
        energyInWh: 2000 + i,
        siteW: 100,
        loadW: 500,
        solarW: 900,
        gridStatus: 'SystemGridConnected',
      });
    }
    const { cursor } = p;
    for (const name of cursor.schema.names) {
      const { scope } = cursor.schema.columns[name];
      if (scope === 'engine' && name !== 'quarantined') cursor.setAt(cursor.schema.index(name), 1);
    }
    expect(columnBytes(p)).toBeLessThanOrEqual(230);
  });

  it('has a column for everything within the limit of a kind', () => {
    for (const kind of ['powerwall', 'inverter']) {
      expect(new Fed(kind).cursor.schema.names.length).toBeLessThanOrEqual(255);
    }
  });
});
