import { describe, expect, it } from 'vitest';
import { Fed } from '../testing/harness.ts';

const MINUTE = 60_000;
const START = Date.UTC(2022, 6, 8, 6);

class Plant extends Fed {
  #n = 0;
  constructor() {
    super('inverter');
  }
  say(...readings: Record<string, unknown>[]): this {
    for (const fields of readings) this.feed(START + this.#n++ * 10 * MINUTE, fields);
    return this;
  }
  code(stateScheme: string, ...codes: number[]): this {
    return this.say(...codes.map((stateCode) => ({ stateCode, stateScheme, powerW: 0 })));
  }
  get now(): string {
    return this.state('operation');
  }
}

const plant = () => new Plant();

describe('operation of an inverter', () => {
  it.each([
    ['sunspec-103', 1, 'off'],
    ['sunspec-103', 2, 'sleeping'],
    ['sunspec-103', 3, 'starting'],
    ['sunspec-103', 4, 'running'],
    ['sunspec-103', 5, 'throttled'],
    ['sunspec-103', 6, 'shuttingDown'],
    ['sunspec-103', 7, 'faulted'],
    ['sunspec-103', 8, 'standby'],
    ['sunspec-701', 0, 'off'],
    ['sunspec-701', 1, 'sleeping'],
    ['sunspec-701', 2, 'starting'],
    ['sunspec-701', 3, 'running'],
    ['sunspec-701', 4, 'throttled'],
    ['sunspec-701', 5, 'shuttingDown'],
    ['sunspec-701', 6, 'faulted'],
    ['sunspec-701', 7, 'standby'],
    ['danfoss', 0, 'off'],
    ['danfoss', 9, 'off'],
    ['danfoss', 10, 'starting'],
    ['danfoss', 49, 'starting'],
    ['danfoss', 50, 'starting'],
    ['danfoss', 59, 'starting'],
    ['danfoss', 60, 'running'],
    ['danfoss', 69, 'running'],
    ['danfoss', 70, 'faulted'],
    ['danfoss', 79, 'faulted'],
    ['danfoss', 80, 'off'],
    ['danfoss', 89, 'off'],
  ])('%s %i is %s, at once and from everywhere', (scheme, code, state) => {
    expect(plant().code(scheme, code).now).toBe(state);
    const running = scheme === 'danfoss' ? 60 : scheme === 'sunspec-103' ? 4 : 3;
    expect(plant().code(scheme, running, code).now).toBe(state);
  });

  it('keeps its state at a number that the scheme does not know, or without a scheme', () => {
    expect(plant().code('sunspec-103', 4, 0).now).toBe('running');
    expect(plant().code('danfoss', 60, 95).now).toBe('running');
    expect(plant().code('sunspec-701', 3).say({ stateCode: 0xffff }).now).toBe('running');
    expect(plant().say({ stateCode: 4, powerW: 0 }).now).toBe('unknown');
  });

  it('takes the scheme from the reading that told it', () => {
    expect(plant().code('sunspec-701', 2).say({ stateCode: 3 }).now).toBe('running');
  });

  it('believes the state and not the power', () => {
    const p = plant().say({ stateCode: 60, stateScheme: 'danfoss', powerW: 0 }, { powerW: 0 }, { powerW: 0 });
    expect(p.now).toBe('running');
  });

  it('goes by power where no state is told: two readings in a row', () => {
    const p = plant().say({ powerW: 0 });
    expect(p.now).toBe('sleeping');
    expect(p.say({ powerW: 400 }).now).toBe('sleeping');
    expect(p.say({ powerW: 400 }).now).toBe('running');
    expect(p.say({ powerW: 30 }, { powerW: 30 }, { powerW: 5 }).now).toBe('running');
    expect(p.say({ powerW: -10 }).now).toBe('sleeping');
  });

  it('is throttled while something throttles it, and runs on after', () => {
    const p = plant().say({ stateCode: 3, stateScheme: 'sunspec-701', throttleSources: ['FREQ_WATT'], powerW: 900 });
    expect(p.now).toBe('throttled');
    expect(p.states('health')).toEqual(['ok']);
    expect(p.say({ powerW: 800 }).now).toBe('throttled');
    expect(p.say({ throttleSources: [] }).now).toBe('running');
    expect(plant().code('sunspec-701', 4, 4).now).toBe('throttled');
    expect(
      plant()
        .code('danfoss', 60)
        .say({ events: ['PV_CLIPPED'] }).now,
    ).toBe('throttled');
  });

  it('trips when the grid leaves its limits while it feeds, and starts again', () => {
    const p = plant()
      .code('sunspec-701', 3)
      .say({ stateCode: 0, events: ['GRID_DISCONNECT'] });
    expect(p.now).toBe('tripped');
    expect(p.say({ stateCode: 0 }).now).toBe('tripped');
    expect(p.say({ stateCode: 2, events: [] }, { stateCode: 3 }).states('operation').slice(-3)).toEqual([
      'tripped',
      'starting',
      'running',
    ]);
    expect(
      plant()
        .code('sunspec-701', 1)
        .say({ stateCode: 0, events: ['GRID_DISCONNECT'] }).now,
    ).toBe('off');
    expect(
      plant()
        .code('sunspec-701', 3)
        .say({ stateCode: 0, events: ['CABINET_OPEN'] }).now,
    ).toBe('off');
  });
});

describe('derates of an inverter', () => {
  const throttled = (...sources: string[]) => ({ stateCode: 4, stateScheme: 'sunspec-701', throttleSources: sources });

  it('are a set of causes, each from when it began, once it has held for a minute', () => {
    const p = plant().say(throttled('FREQ_WATT'));
    expect(p.view.derates).toEqual([]);
    p.say(throttled('FREQ_WATT', 'MAX_W'));
    expect(p.view.derates).toEqual(['GRID_SUPPORT']);
    expect(p.view.status).toBe('DERATED');
    p.say(throttled('MAX_W'), throttled());
    expect(p.data('derate_interval')).toEqual([
      { cause: 'GRID_SUPPORT', fromTime: START, toTime: START + 20 * MINUTE, lostWh: null },
      { cause: 'CURTAILED', fromTime: START + 10 * MINUTE, toTime: START + 30 * MINUTE, lostWh: null },
    ]);
    expect(p.view.derates).toEqual([]);
  });

  it('do not count a flicker', () => {
    const p = new Fed('inverter').feed(START, throttled('LVRT')).feed(START + 50_000, throttled());
    expect(p.data('derate_interval')).toEqual([]);
  });

  it('heed how far it is throttled, where that is known', () => {
    const slight = plant().say({ ...throttled('VOLT_VAR'), throttlePct: 4 }, { throttlePct: 4 });
    expect(slight.view.derates).toEqual([]);
    const strong = plant().say({ throttlePct: 30, powerW: 900 }, { throttlePct: 30 });
    expect(strong.view.derates).toEqual(['DERATED']);
  });

  it('know heat', () => {
    const p = plant()
      .code('sunspec-701', 3)
      .say({ events: ['OVER_TEMP'] }, { powerW: 900 });
    expect(p.view.derates).toEqual(['THERMAL']);
  });
});
