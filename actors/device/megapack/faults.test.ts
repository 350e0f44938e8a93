import { describe, expect, it } from 'vitest';
import { connected, MINUTE, START, type Unit } from '../testing/megapack.ts';

const faults = (p: Unit) => p.data('fault');

describe('faults of a Megapack', () => {
  it('the state FAULT opens one and opens the contactors', () => {
    const p = connected().power(5e5, 5e5).say({ state: 'FAULT', powerW: 0 }, { powerW: 0 });
    expect([p.now, p.state('health'), p.view.status]).toEqual(['disconnected', 'faulted', 'FAULTED']);
    expect(faults(p)).toMatchObject([
      { code: 'FAULT', severity: 'critical', openedTime: START + 3 * MINUTE, closedTime: null },
    ]);
  });

  it('closes when the strings are closed again, not while it only tries', () => {
    const p = connected().say({ state: 'FAULT' }, { state: 'DISCONNECTED' }, { state: 'INITIALIZING' });
    expect(p.state('health')).toBe('faulted');
    p.say({ state: 'STANDBY' });
    expect(p.state('health')).toBe('ok');
    expect(faults(p)).toMatchObject([{ closedTime: START + 4 * MINUTE, closedBy: 'productive', recurrence: 0 }]);
    expect(faults(p.say({ state: 'FAULT' }))).toMatchObject([{ closedTime: null, recurrence: 1 }]);
  });

  it.each(['GROUND_FAULT', 'STR_GROUND_FAULT', 'CONTACTOR_FAILURE', 'MP_ContactorFault'])(
    'an alert %s is critical, whatever it was told with, and opens the contactors',
    (name) => {
      const p = connected()
        .power(5e5, 5e5)
        .say({ alerts: [{ name, severity: 'informational' }], powerW: 0 });
      expect([p.now, p.state('health')]).toEqual(['disconnected', 'faulted']);
      expect(faults(p)).toMatchObject([{ code: name, severity: 'critical' }]);
      p.say({ alerts: [] });
      expect([p.now, p.state('health')]).toEqual(['connectedIdle', 'ok']);
      expect(faults(p)).toMatchObject([{ closedBy: 'cleared' }]);
    },
  );

  it.each([
    ['strings', { stringsConnected: 9, stringsTotal: 10 }],
    ['state', { state: 'CONNECTED' }],
  ])('of many strings it was one where the unit tells its %s', (_, proof) => {
    const alerts = [{ name: 'STR_GROUND_FAULT' }];
    const together = connected().say({ alerts, ...proof });
    expect([together.now, together.state('health')]).toEqual(['connectedIdle', 'faulted']);
    const later = connected().say({ alerts }, { powerW: 0 }, proof, { alerts, powerW: 0 });
    expect(later.states('operation')).toEqual(['connectedIdle', 'disconnected', 'connectedIdle']);
  });

  it('power in two readings in a row does not flow through open contactors', () => {
    const p = connected().say({ alerts: [{ name: 'CONTACTOR_FAILURE' }] });
    expect(p.power(5e5).now).toBe('disconnected');
    expect(p.power(5e5).now).toBe('connectedIdle');
    expect(p.power(5e5).power(5e5).now).toBe('discharging');
    expect(p.state('health')).toBe('faulted');
    const none = connected().say({ alerts: [{ name: 'CONTACTOR_FAILURE' }] });
    expect(none.power(5e5, 0, 5e5, 0).now).toBe('disconnected');
  });

  it('other alerts warn, or fault without a word about contactors', () => {
    const warned = connected().say({ alerts: [{ name: 'BatteryUnexpectedPower', severity: 'performance' }] });
    expect([warned.now, warned.state('health')]).toEqual(['connectedIdle', 'warning']);
    const faulted = connected().say({ alerts: [{ name: 'BlackStartFailure', severity: 'critical' }] });
    expect([faulted.now, faulted.state('health')]).toEqual(['connectedIdle', 'faulted']);
    const scheduled = connected().say({ alerts: [{ name: 'ScheduledIslandContactorOpen' }] });
    expect(scheduled.now).toBe('connectedIdle');
  });

  it('a heartbeat that stands still makes it stale though packets arrive; a reset to zero does not', () => {
    const beats = (...list: number[]) => {
      const p = connected();
      return p.say(...list.map((heartbeat) => ({ heartbeat, powerW: 0 })));
    };
    expect(beats(60, 120, 0, 60, 120, 0, 0, 60).states('connectivity')).toEqual(['online']);
    expect(beats(60, 120, 120, 120, 120, 120, 180).states('connectivity')).toEqual(['online', 'stale', 'online']);
  });
});
