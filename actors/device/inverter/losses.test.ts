import { describe, expect, it } from 'vitest';
import { Fed } from '../testing/harness.ts';

const MINUTE = 60_000;
const NOON = Date.UTC(2022, 6, 8, 12);

class Plant extends Fed {
  #n = 0;
  constructor() {
    super('inverter');
  }
  /** Readings ten minutes apart. */
  say(...readings: Record<string, unknown>[]): this {
    for (const fields of readings) this.feed(NOON + this.#n++ * 10 * MINUTE, fields);
    return this;
  }
  powers(...watts: number[]): this {
    return this.say(...watts.map((powerW) => ({ powerW })));
  }
  derates() {
    return this.data('derate_interval').map((d) => [
      d.cause,
      (Number(d.fromTime) - NOON) / MINUTE,
      d.toTime === null ? null : (Number(d.toTime) - NOON) / MINUTE,
      d.lostWh,
    ]);
  }
}

const plant = () => new Plant();
const running = (powerW: number, more = {}) => ({ stateScheme: 'sunspec-701', stateCode: 3, powerW, ...more });
const curtailed = (powerW: number, throttlePct: number) =>
  running(powerW, { stateCode: 4, throttleSources: ['MAX_W'], throttlePct });
const free = (powerW: number) => running(powerW, { throttleSources: [], throttlePct: 0 });

describe('energy lost by throttling', () => {
  it('is the share that the inverter says times the highest power that it kept up', () => {
    const p = plant().say(free(6000), free(6000), curtailed(3000, 40), curtailed(3000, 40), free(5000));
    // 40 % of 6 kW for 20 minutes.
    expect(p.derates()).toEqual([['CURTAILED', 20, 40, 800]]);
  });

  it('is no more than what was missing to that power, and nothing in the dark', () => {
    const p = plant().say(free(6000), free(6000), curtailed(5400, 40), curtailed(5400, 40), free(5000));
    expect(p.derates()).toEqual([['CURTAILED', 20, 40, 200]]);
    const night = plant().say(free(6000), free(6000), curtailed(3000, 40), curtailed(0, 40));
    night.say({ stateCode: 1, powerW: 0 }, { stateCode: 1, powerW: 0 }, free(100));
    expect(night.derates()).toEqual([['CURTAILED', 20, 60, 800]]);
  });

  it('is not made up where nobody says how far it throttles, nor while it lasts', () => {
    const p = plant().say(running(6000), running(6000), running(3000, { throttleSources: ['MAX_W'] }));
    p.say(running(3000), running(3000, { throttleSources: [] }));
    expect(p.derates()).toEqual([['CURTAILED', 20, 40, null]]);
    expect(plant().say(free(6000), free(6000), curtailed(3000, 40), curtailed(3000, 40)).derates()).toEqual([
      ['CURTAILED', 20, null, null],
    ]);
  });

  it('ends where the word on throttling is too old', () => {
    const p = plant().say(free(6000), free(6000), curtailed(3000, 40));
    p.feed(NOON + 140 * MINUTE, free(5000));
    expect(p.derates()).toEqual([['CURTAILED', 20, 140, 800]]);
  });

  it('does not rest on one wild reading of power', () => {
    const p = plant().say(free(6000), free(90_000), free(6000), curtailed(3000, 40), curtailed(3000, 40), free(5000));
    expect(p.derates()).toEqual([['CURTAILED', 30, 50, 800]]);
  });
});

describe('clipping', () => {
  const flat = [5000, 5004, 5000, 4998, 5002, 5000, 5001];

  it('is power that stands still at its highest for an hour', () => {
    const p = plant().powers(3000, 4000, ...flat, 4500, 4000);
    expect(p.derates()).toEqual([['CLIPPED', 20, 90, null]]);
    expect(
      plant()
        .powers(3000, 4000, ...flat)
        .derates(),
    ).toEqual([['CLIPPED', 20, null, null]]);
    expect(plant().powers(3000, 4000, ...flat).view.status).not.toBe('DERATED');
  });

  it('is not a clear noon, nor standing still below the highest', () => {
    const day = Array.from({ length: 73 }, (_, i) => Math.round(5000 * Math.sin((Math.PI * i) / 72)));
    expect(
      plant()
        .powers(...day, ...day)
        .derates(),
    ).toEqual([]);
    expect(
      plant()
        .powers(6000, 6000, ...flat, 4000)
        .derates(),
    ).toEqual([]);
  });

  it('is not what nobody saw, in a silence', () => {
    const p = plant().powers(3000, 5000);
    p.feed(NOON + 200 * MINUTE, { powerW: 5000 }).feed(NOON + 210 * MINUTE, { powerW: 5000 });
    expect(p.derates()).toEqual([]);
  });

  it('is not what curtailment explains', () => {
    const p = plant().say(...flat.map((w) => running(w, { stateCode: 4, throttleSources: ['MAX_W'] })));
    expect(p.derates().map((d) => d[0])).toEqual(['CURTAILED']);
  });

  it('is what the inverter says, by its mode or its sources', () => {
    const byMode = plant().say(running(5000, { events: ['PV_CLIPPED'] }), running(5100), running(4000, { events: [] }));
    expect(byMode.derates()).toEqual([['CLIPPED', 0, 20, null]]);
    const bySource = plant().say(running(5000, { throttleSources: ['PV_CLIPPED'] }), running(4000));
    expect(bySource.derates()).toEqual([['CLIPPED', 0, null, null]]);
  });
});
