import { describe, expect, it } from 'vitest';
import { Fed } from '../testing/harness.ts';

const MINUTE = 60_000;
const START = Date.UTC(2022, 6, 8, 12);

/** A Powerwall fed one reading a minute. */
class Minutes extends Fed {
  #n = 0;
  constructor() {
    super('powerwall');
  }
  say(...readings: Record<string, unknown>[]): this {
    for (const fields of readings) this.feed(START + this.#n++ * MINUTE, { loadW: 500, ...fields });
    return this;
  }
  power(...watts: number[]): this {
    return this.say(...watts.map((powerW) => ({ powerW })));
  }
  get now(): string {
    return this.state('operation');
  }
  get transitions(): string[] {
    return this.data('state_transition')
      .filter((d) => d.region === 'operation')
      .map((d) => `${d.from}>${d.to}:${d.cause}`);
  }
}

const alert = (name: string) => ({ alerts: [{ name }] });
const standby = () => new Minutes().power(0);
const charging = () => standby().power(-3000, -3000);
const discharging = () => standby().power(3000, 3000);
const full = () => charging().say({ powerW: -200, availableChargeW: 0 });
const atReserve = () =>
  discharging().say({ powerW: 2000, soc: 0.2, reserveSoc: 0.2, gridStatus: 'SystemGridConnected' });
const empty = () => discharging().say({ powerW: 2000, ...alert('POD_w105_SW_EOD') });
const sleeping = () =>
  discharging()
    .say({ gridStatus: 'SystemIslandedActive', ...alert('POD_w105_SW_EOD') })
    .say({ alerts: [{ name: 'POD_w105_SW_EOD' }, { name: 'WaitForSolar' }] });

describe('operation of a Powerwall', () => {
  it('begins, where the inverter speaks, when it follows or forms the grid and the sequence is active', () => {
    const p = new Minutes().say({ inverterState: 'PINV_Init', powerW: 0 });
    expect(p.now).toBe('initializing');
    p.say({ inverterState: 'PINV_GridFollowing', opSeqState: 'Standby', powerW: 0 });
    expect(p.now).toBe('initializing');
    p.say({ opSeqState: 'Active' });
    expect(p.now).toBe('standby');
    expect(new Minutes().say({ inverterState: 'PINV_GridForming' }).now).toBe('standby');
  });

  it('begins with power where no inverter speaks', () => {
    expect(new Minutes().say({ soc: 0.5 }).now).toBe('initializing');
    expect(standby().now).toBe('standby');
  });

  it.each([
    ['standby', standby, 'discharging', [150, 150]],
    ['full', full, 'discharging', [150, 150]],
    ['standby', standby, 'charging', [-150, -150]],
    ['atReserve', atReserve, 'charging', [-150, -150]],
    ['empty', empty, 'charging', [-150, -150]],
    ['charging', charging, 'standby', [49, -49]],
    ['discharging', discharging, 'standby', [-49, 0]],
    ['charging', charging, 'discharging', [101, 5000]],
    ['discharging', discharging, 'charging', [-101, -101]],
  ] as const)('%s goes by power to its next state', (from, make, to, power) => {
    const p = make();
    expect(p.now).toBe(from);
    p.power(power[0]);
    expect(p.now).toBe(from);
    p.power(power[1]);
    expect(p.now).toBe(to);
  });

  it.each([
    ['standby', standby, [100, 100, 100]],
    ['standby', standby, [-100, -100]],
    ['standby', standby, [150, 90, 150, 90]],
    ['standby', standby, [150, -150, 150, -150]],
    ['charging', charging, [-60, -60, -60]],
    ['discharging', discharging, [51, 51, 51]],
    ['discharging', discharging, [0, 60, 0, 60]],
    ['full', full, [-3000, -3000]],
    ['empty', empty, [3000, 3000]],
  ] as const)('%s stays within the hysteresis', (from, make, power) => {
    expect(make().power(...power).now).toBe(from);
  });

  it('needs two readings that carry power; others neither confirm nor refute', () => {
    const p = standby().power(150).say({ soc: 0.4 }, { powerW: null });
    expect(p.now).toBe('standby');
    expect(p.power(150).now).toBe('discharging');
  });

  it('does not take a reading from before a silence as the first of two', () => {
    const p = new Fed('powerwall').feed(START, { powerW: 0 }).feed(START + MINUTE, { powerW: 150 });
    p.feed(START + 60 * MINUTE, { powerW: 150 });
    expect(p.state('operation')).toBe('standby');
  });

  it('is full at the end of charge', () => {
    expect(full().now).toBe('full');
    expect(charging().say({ powerW: -200, ...alert('POD_w110_SW_EOC') }).now).toBe('full');
    expect(standby().say({ powerW: 0, availableChargeW: 0 }).now).toBe('standby');
  });

  it('holds the reserve on the grid, and does not off the grid', () => {
    expect(atReserve().now).toBe('atReserve');
    expect(discharging().say({ powerW: 900, ...alert('SelfConsumptionReservedLimit') }).now).toBe('atReserve');
    const island = { powerW: 900, soc: 0.2, reserveSoc: 0.2, gridStatus: 'SystemIslandedActive' };
    expect(discharging().say(island).now).toBe('discharging');
  });

  it('does not flap at the reserve, and leaves it by power once there is more', () => {
    const p = atReserve().power(900, 900, 900);
    expect(p.now).toBe('atReserve');
    expect(p.say({ powerW: 900, soc: 0.5 }).power(900).now).toBe('discharging');
  });

  it('is empty at the end of discharge, and sleeps where the home is an island', () => {
    expect(empty().now).toBe('empty');
    expect(empty().say(alert('WaitForSolar')).now).toBe('empty');
    expect(sleeping().now).toBe('sleeping');
  });

  it('wakes when the jump start succeeded, or by power', () => {
    expect(sleeping().say({ alerts: [] }).now).toBe('standby');
    expect(sleeping().power(-500, -500).now).toBe('standby');
    expect(sleeping().power(-500, -500, -500, -500).now).toBe('charging');
  });

  it.each([
    ['standby', standby],
    ['charging', charging],
    ['full', full],
    ['sleeping', sleeping],
    ['initializing', () => new Minutes()],
  ] as const)('%s is disabled by reasons, and by an inverter without grid state', (_, make) => {
    expect(make().say({ disabledReasons: ['DisabledUserRequested'] }).now).toBe('disabled');
    expect(make().say({ inverterGridState: '' }).now).toBe('disabled');
  });

  it('is enabled when the reasons are gone and the inverter sees a grid', () => {
    const p = standby().say({ disabledReasons: ['DisabledExcessiveVoltageDrop'], inverterGridState: '' });
    expect(p.power(3000, 3000).now).toBe('disabled');
    expect(p.say({ disabledReasons: [] }).now).toBe('disabled');
    expect(p.say({ inverterGridState: 'Grid_Compliant' }).now).toBe('standby');
  });

  it('says what each decision rests on, and how long the left state lasted', () => {
    const p = charging().power(0, 0);
    expect(p.transitions).toEqual(['initializing>standby:state', 'standby>charging:power', 'charging>standby:power']);
    const last = p
      .data('state_transition')
      .filter((d) => d.region === 'operation')
      .at(-1);
    expect(last?.leftAfterMs).toBe(2 * MINUTE);
    const keys = p
      .list('state_transition')
      .filter((f) => f.data.region === 'operation')
      .map((f) => f.key);
    expect(keys.at(-1)).toBe('T-1/operation/2022-07-08T12:04:00.000Z/0');
  });
});
