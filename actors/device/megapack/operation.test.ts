import { describe, expect, it } from 'vitest';
import { connected, MINUTE, START, Unit } from '../testing/megapack.ts';

const unit = () => new Unit();
const charging = () => connected().power(-5e5, -5e5);
const discharging = () => connected().power(5e5, 5e5);

describe('operation of a Megapack', () => {
  it.each([
    ['DISCONNECTED', 'disconnected'],
    ['INITIALIZING', 'initializing'],
    ['CONNECTED', 'connectedIdle'],
    ['STANDBY', 'standby'],
    ['SOC_PROTECTION', 'socProtection'],
    ['SUSPENDING', 'suspending'],
    ['FAULT', 'disconnected'],
  ])('%s means %s, at once and from everywhere', (state, shown) => {
    expect(unit().say({ state }).now).toBe(shown);
    for (const before of ['DISCONNECTED', 'INITIALIZING', 'STANDBY', 'SOC_PROTECTION', 'SUSPENDING', 'FAULT']) {
      expect(unit().say({ state: before }, { state }).now).toBe(shown);
    }
    if (state !== 'CONNECTED') expect(discharging().say({ state }).now).toBe(shown);
  });

  it.each([
    [{ state: 1 }, 'disconnected'],
    [{ state: 2 }, 'initializing'],
    [{ state: 3 }, 'connectedIdle'],
    [{ state: 4 }, 'standby'],
    [{ state: 5 }, 'socProtection'],
    [{ state: 6 }, 'suspending'],
    [{ state: 99 }, 'disconnected'],
    [{ state: 3, chargeState: 3 }, 'discharging'],
    [{ state: 3, chargeState: 4 }, 'charging'],
    [{ state: 3, chargeState: 6 }, 'connectedIdle'],
  ])('tells its state by number too: %j', (told, shown) => {
    expect(unit().say(told).now).toBe(shown);
  });

  it('precharges, closes its strings, starts, works, and suspends to stand by', () => {
    const p = unit().say({ state: 'DISCONNECTED', powerW: 0 }, { state: 'INITIALIZING' }, { state: 'STANDBY' });
    p.say({ state: 'CONNECTED' }).power(5e5, 5e5);
    p.say({ state: 'SUSPENDING', powerW: 2e5 }, { state: 'STANDBY', powerW: 0 });
    expect(p.states('operation')).toEqual([
      'disconnected',
      'initializing',
      'standby',
      'connectedIdle',
      'discharging',
      'suspending',
      'standby',
    ]);
  });

  it('keeps its state at a word that nobody knows, and at none', () => {
    expect(unit().say({ state: 'STANDBY' }, { state: 'NAPPING' }, { state: null, powerW: 0 }, { soc: 0.5 }).now).toBe(
      'standby',
    );
  });

  it('works by power beyond half a per cent of its rating, in two readings in a row', () => {
    expect(connected().power(5001).now).toBe('connectedIdle');
    expect(connected().power(5001, 5001).now).toBe('discharging');
    expect(connected().power(-5001, -5001).now).toBe('charging');
    expect(connected().power(5000, 5000).now).toBe('connectedIdle');
    expect(connected().power(9e5, 0, 9e5, 0).now).toBe('connectedIdle');
    expect(connected().power(9e5, -9e5, 9e5).now).toBe('connectedIdle');
    expect(discharging().power(0).now).toBe('discharging');
    expect(discharging().power(0, 0).now).toBe('connectedIdle');
    expect(discharging().power(-9e5).now).toBe('discharging');
    expect(discharging().power(-9e5, -9e5).now).toBe('charging');
    expect(charging().power(9e5, 9e5).now).toBe('discharging');
  });

  it('is rated by the largest power that was ever available; until then as most are', () => {
    expect(connected().say({ availableDischargeW: 4e6 }).power(9000, 9000).now).toBe('connectedIdle');
    expect(connected().say({ availableDischargeW: 1e5 }).power(9000, 9000).now).toBe('discharging');
    expect(unit().say({ state: 'CONNECTED' }).power(9000, 9000).now).toBe('connectedIdle');
    expect(unit().say({ state: 'CONNECTED' }).power(9600, 9600).now).toBe('discharging');
  });

  it('a pending change does not outlive a silence', () => {
    expect(connected().power(5e5).skip(10).power(5e5).now).toBe('connectedIdle');
  });

  it('believes the charge state before the power', () => {
    expect(connected().say({ chargeState: 'CHARGING' }).now).toBe('charging');
    expect(connected().say({ chargeState: 'DISCHARGING', powerW: 0 }, { chargeState: 'DISCHARGING' }).now).toBe(
      'discharging',
    );
    expect(discharging().say({ chargeState: 'HOLDING', powerW: 5e5 }).now).toBe('connectedIdle');
    expect(connected().say({ chargeState: 'TESTING', powerW: 5e5 }).power(5e5).now).toBe('discharging');
  });

  it('believes the state before charge state and power', () => {
    const p = unit().say({ state: 'STANDBY' }, { chargeState: 'CHARGING', powerW: -5e5 }, { powerW: -5e5 });
    expect(p.now).toBe('standby');
  });

  it('holding a frequency reserve is work, not standing by', () => {
    const p = connected().say({ controlMode: 'FCR', chargeState: 'HOLDING' }).power(1000, -1000, 2000, 0);
    expect(p.now).toBe('connectedIdle');
    expect(p.view.status).toBe('CONNECTED_IDLE');
  });

  it.each([
    ['full by its charge state', charging, { chargeState: 'FULL' }, 'charge_state'],
    ['full by the power that it would take', charging, { availableChargeW: 0 }, 'available_power'],
    ['full by its charge', charging, { soc: 1 }, 'soc'],
    ['full by alert', charging, { alerts: [{ name: 'EOC' }] }, 'alert'],
    ['empty by its charge state', discharging, { chargeState: 'EMPTY' }, 'charge_state'],
    ['empty by the power that it would give', discharging, { availableDischargeW: 0 }, 'available_power'],
    ['empty by its charge', discharging, { soc: 0 }, 'soc'],
    ['empty by alert', discharging, { alerts: [{ name: 'EOD' }] }, 'alert'],
  ])('is protected once it is %s', (_, working, told, cause) => {
    const p = working().say(told);
    expect(p.now).toBe('socProtection');
    expect(p.data('state_transition').find((d) => d.to === 'socProtection')).toMatchObject({ cause });
    expect(p.say({ state: 'CONNECTED', powerW: 0 }, { state: 'CONNECTED' }).now).toBe('socProtection');
  });

  it('a limit in the other direction does not stop it, nor does a stop in both directions protect', () => {
    expect(discharging().say({ availableChargeW: 0, soc: 1 }).now).toBe('discharging');
    expect(charging().say({ availableDischargeW: 0, soc: 0 }).now).toBe('charging');
    expect(charging().say({ availableChargeW: 0, availableDischargeW: 0 }).now).toBe('charging');
  });

  it('leaves protection in the direction that is free, whatever trickles in the other', () => {
    const full = () => charging().say({ soc: 1 });
    expect(full().power(-6000, -6000, -6000).now).toBe('socProtection');
    expect(full().power(5e5, 5e5).now).toBe('discharging');
    expect(full().say({ soc: 0.99, powerW: 0 }).now).toBe('connectedIdle');
    const told = charging().say({ state: 'SOC_PROTECTION' }).power(5e5, 5e5);
    expect(told.now).toBe('socProtection');
    expect(told.say({ state: 'CONNECTED' }).power(5e5, 5e5).states('operation').slice(-2)).toEqual([
      'connectedIdle',
      'discharging',
    ]);
  });

  it('goes by charge state and power where no state is told', () => {
    expect(unit().say({ soc: 0.5 }).now).toBe('unknown');
    expect(unit().power(0).now).toBe('connectedIdle');
    expect(unit().power(5e5, 5e5, 5e5).states('operation')).toEqual(['connectedIdle', 'discharging']);
    expect(unit().say({ chargeState: 'CHARGING' }).states('operation')).toEqual(['charging']);
    const off = unit().say({ chargeState: 'OFF', powerW: 0 });
    expect(off.now).toBe('disconnected');
    expect(off.say({ chargeState: 'HOLDING' }).now).toBe('connectedIdle');
    const full = unit().power(-5e5, -5e5).say({ soc: 1 });
    expect(full.now).toBe('socProtection');
    expect(full.say({ soc: 0.9 }).now).toBe('connectedIdle');
  });

  it('keeps its state through a silence', () => {
    const p = discharging().skip(120).say({ soc: 0.4 });
    expect(p.now).toBe('discharging');
  });
});

describe('control of a Megapack', () => {
  it.each([
    ['Local', 'local'],
    ['RealPowerDispatch', 'realPowerDispatch'],
    ['Real Power Dispatch', 'realPowerDispatch'],
    ['FCR', 'fcr'],
    ['Droop', 'fcr'],
    ['SoCControl', 'socControl'],
    ['State-of-Charge control', 'socControl'],
    ['AutoBidder', 'autoBidder'],
    ['SiteControl', 'autoBidder'],
    ['GridForming', 'gridForming'],
    ['Island', 'gridForming'],
    ['BlackStart', 'gridForming'],
    ['Manual', 'manual'],
  ])('%s means %s, from everywhere', (controlMode, state) => {
    expect(connected().say({ controlMode }).state('control')).toBe(state);
    expect(connected().say({ controlMode: 'Manual' }, { controlMode }).state('control')).toBe(state);
  });

  it('is unknown until somebody tells, and stays at a word that nobody knows', () => {
    expect(connected().state('control')).toBe('unknown');
    const p = connected().say({ controlMode: 'FCR' }, { controlMode: 'Dreaming' }, { controlMode: 'FCR' });
    expect(p.states('control')).toEqual(['unknown', 'fcr']);
    expect(p.data('state_transition').filter((d) => d.region === 'control')).toEqual([
      { region: 'control', from: 'unknown', to: 'fcr', cause: 'control_mode', leftAfterMs: MINUTE },
    ]);
    expect(p.view.regions.control).toEqual({ state: 'fcr', since: START + MINUTE });
  });
});
