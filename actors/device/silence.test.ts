import { describe, expect, it } from 'vitest';
import { FactMap } from '../../runtime/shard/facts.ts';
import { Fed } from './testing/harness.ts';

const MINUTE = 60_000;
const NOON = Date.UTC(2022, 6, 8, 12);
const at = (minutes: number) => NOON + minutes * MINUTE;

const connectivity = (fed: Fed) =>
  fed
    .data('state_interval')
    .filter((d) => d.region === 'connectivity')
    .map((d) => [d.state, (Number(d.fromTime) - NOON) / MINUTE]);

describe('silence', () => {
  it('begins with the first reading', () => {
    const p = new Fed('powerwall');
    expect(p.state('connectivity')).toBe('never');
    p.feed(NOON, { powerW: 0 });
    expect(p.data('state_transition')[0]).toMatchObject({ from: 'never', to: 'online', leftAfterMs: null });
  });

  it('makes an asset stale after three cadences, offline after 15 minutes more, and is a gap from reading to reading', () => {
    const p = new Fed('powerwall').feed(NOON, { powerW: 0 }).feed(at(60), { powerW: 0 });
    expect(connectivity(p)).toEqual([
      ['online', 0],
      ['stale', 15],
      ['offline', 30],
      ['online', 60],
    ]);
    expect(p.list('data_gap')).toMatchObject([
      { key: 'T-1/2022-07-08T12:00:00.000Z', data: { fromTime: NOON, toTime: at(60), class: 'silent' } },
    ]);
  });

  it('is only stale where it was short, and nothing where it was at the limit', () => {
    expect(connectivity(new Fed('powerwall').feed(NOON, { soc: 1 }).feed(at(20), { soc: 1 })).map((c) => c[0])).toEqual(
      ['online', 'stale', 'online'],
    );
    expect(new Fed('powerwall').feed(NOON, { soc: 1 }).feed(at(15), { soc: 1 }).data('data_gap')).toEqual([]);
  });

  it('is at least a minute, whatever the cadence', () => {
    expect(new Fed('powerwall', { cadenceMs: 1000 }).kind.silenceLimits({ cadenceMs: 1000, timeZone: 'UTC' })).toEqual([
      MINUTE,
      16 * MINUTE,
    ]);
  });

  it('says the same by timers as by the next reading, and leaves operation and health alone', () => {
    const p = new Fed('powerwall').feed(NOON, { powerW: 3000 }).feed(at(1), { powerW: 3000 });
    const said = new FactMap();
    p.kind.elapse(p.cursor, 1, p.config, said);
    p.kind.elapse(p.cursor, 2, p.config, said);
    const types = [...said.byKey.values()].map((f) => `${f.type.name}:${f.data.region ?? f.data.class}`);
    expect(new Set(types)).toEqual(
      new Set(['state_transition:connectivity', 'state_interval:connectivity', 'data_gap:silent']),
    );
    p.cursor.silence = 2;
    expect(p.view.status).toBe('OFFLINE');
    expect(p.state('operation')).toBe('discharging');
    expect(p.state('connectivity')).toBe('offline');
  });

  it('opens no fault and no outage', () => {
    const p = new Fed('inverter').feed(NOON, { powerW: 5000, stateCode: 60, stateScheme: 'danfoss' });
    p.feed(at(3000), { powerW: 5000, stateCode: 60, stateScheme: 'danfoss' });
    expect(p.data('fault')).toEqual([]);
    expect(p.states('health')).toEqual(['ok']);
    expect(p.states('operation')).toEqual(['running']);
  });
});

describe('a heartbeat', () => {
  const beat = (beats: number[]) => {
    const p = new Fed('powerwall', { cadenceMs: MINUTE });
    for (const [m, heartbeat] of beats.entries()) p.feed(at(m), { heartbeat, powerW: 0 });
    return p;
  };

  it('that stands still makes the asset stale, though packets arrive', () => {
    const p = beat([1, 2, 2, 2, 2, 2, 2, 7]);
    expect(connectivity(p)).toEqual([
      ['online', 0],
      ['stale', 5],
      ['online', 7],
    ]);
    expect(p.data('state_transition').find((d) => d.to === 'stale')).toMatchObject({ cause: 'heartbeat_frozen' });
    expect(p.data('data_gap')).toEqual([]);
  });

  it('that moves or is reset to zero keeps it online', () => {
    expect(connectivity(beat([1, 2, 3, 0, 1, 2, 0, 0, 1]))).toEqual([['online', 0]]);
  });

  it('that is the same on both sides of a silence does not keep it stale', () => {
    const p = new Fed('powerwall').feed(NOON, { heartbeat: 5 }).feed(at(60), { heartbeat: 5 });
    expect(p.state('connectivity')).toBe('online');
  });
});

describe('readings that stand for missing data', () => {
  const zeros = { powerW: 0, siteW: 0, loadW: 0, solarW: 0, soc: 0 };
  const real = { powerW: 600, siteW: 100, loadW: 700, solarW: 0, soc: 0.78 };

  it('are a gap: no value, no energy, no operation, no cover', () => {
    const p = new Fed('powerwall').feed(NOON, real).feed(at(5), real);
    p.feed(at(10), zeros).feed(at(15), zeros).feed(at(20), real).feed(at(25), real);
    expect(p.list('data_gap')).toMatchObject([
      { key: 'T-1/2022-07-08T12:10:00.000Z/zeros', data: { fromTime: at(10), toTime: at(20), class: 'zeros' } },
    ]);
    expect(p.cursor.getAt(p.kind.state.index('soc' as never))).toBe(0.78);
    expect(p.states('operation')).toEqual(['standby', 'discharging']);
    expect(p.data('energy_interval')).toMatchObject([
      { outWh: 100, coverage: 10 / 15 },
      { outWh: 50, coverage: 5 / 15 },
    ]);
    expect(connectivity(p)).toEqual([['online', 0]]);
  });

  it('keep a state of charge above zero', () => {
    const p = new Fed('powerwall').feed(NOON, real).feed(at(5), { ...zeros, soc: 0.6 });
    expect(p.cursor.getAt(p.kind.state.index('soc' as never))).toBe(0.6);
    expect(p.data('data_gap')).toMatchObject([{ class: 'zeros', toTime: null }]);
  });

  it.each([
    ['another measurement', { ...zeros, energyOutWh: 5 }],
    ['an explicit grid status', { ...zeros, gridStatus: 'SystemGridConnected' }],
    ['sun', { ...zeros, solarW: 3 }],
    ['no meter', { powerW: 0, loadW: 0 }],
  ])('are none with %s', (_, fields) => {
    expect(new Fed('powerwall').feed(NOON, fields).data('data_gap')).toEqual([]);
  });

  it('are those whose every measurement is invalid, for any kind', () => {
    const p = new Fed('inverter')
      .feed(NOON, { powerW: 900 })
      .feed(at(10), { powerW: null })
      .feed(at(20), { powerW: 900 });
    expect(p.data('data_gap')).toMatchObject([{ class: 'zeros', fromTime: at(10), toTime: at(20) }]);
    expect(p.view.energy.outWh).toBe(150);
    const mixed = new Fed('inverter').feed(NOON, { powerW: null, stateCode: 60, stateScheme: 'danfoss' });
    expect(mixed.data('data_gap')).toEqual([]);
  });

  it('are no silence; a silence that begins with them is part of the gap', () => {
    const p = new Fed('powerwall').feed(NOON, real).feed(at(5), zeros).feed(at(90), real);
    expect(p.data('data_gap')).toMatchObject([{ class: 'zeros', fromTime: at(5), toTime: at(90) }]);
    expect(connectivity(p).map((c) => c[0])).toEqual(['online', 'stale', 'offline', 'online']);
  });
});
