import { describe, expect, it } from 'vitest';
import { severityOf } from './alerts.ts';
import { compareVersions } from './extras.ts';
import { Fed } from './testing/harness.ts';

const MINUTE = 60_000;
const NOON = Date.UTC(2022, 6, 8, 12);
const iso = (minutes: number) => new Date(NOON + minutes * MINUTE).toISOString();

/** A Powerwall that is fed lists of alerts, one a minute. */
function alerts(...lists: readonly (readonly (string | Record<string, unknown>)[])[]): Fed {
  const p = new Fed('powerwall');
  for (const [m, list] of lists.entries()) {
    const named = list.map((a) => (typeof a === 'string' ? { name: a } : a));
    p.feed(NOON + m * MINUTE, { powerW: 0, loadW: 300, alerts: named });
  }
  return p;
}

describe('severity of an alert', () => {
  it.each([
    ['POD_f029_HW_CMA_OV', null, 'critical'],
    ['POD_w029_HW_CMA_OV', null, 'performance'],
    ['PINV_a010_can_gtwMIA', null, 'performance'],
    ['FWUpdateSucceeded', null, 'informational'],
    ['BatteryFault', null, 'informational'],
    ['POD_PermanentlyFaulted', null, 'rma'],
    ['POD_f029_HW_CMA_OV', 'informational', 'informational'],
    ['Anything', 'rma', 'rma'],
  ] as const)('%s told %s is %s', (name, told, severity) => {
    expect(severityOf(name, told)).toBe(severity);
  });
});

describe('health', () => {
  it.each([
    [['FWUpdateSucceeded'], 'warning'],
    [['POD_w031_SW_Brick_OV'], 'warning'],
    [['POD_w031_SW_Brick_OV', 'POD_f029_HW_CMA_OV'], 'faulted'],
    [[{ name: 'X', severity: 'critical' }], 'faulted'],
    [[{ name: 'X', severity: 'rma' }], 'permanentFault'],
    [[], 'ok'],
  ])('of %j is %s', (list, state) => {
    expect(alerts(list as string[]).state('health')).toBe(state);
  });

  it('is ok again only on an explicit clear', () => {
    const p = alerts(['POD_f029_HW_CMA_OV'], ['POD_f029_HW_CMA_OV']);
    p.feed(NOON + 2 * MINUTE, { powerW: 3000, loadW: 300 }).feed(NOON + 3 * MINUTE, { powerW: 3000, loadW: 300 });
    expect(p.state('health')).toBe('faulted');
    p.feed(NOON + 4 * MINUTE, { alerts: [] });
    expect(p.state('health')).toBe('ok');
    expect(p.data('fault')).toMatchObject([{ closedBy: 'cleared', closedTime: NOON + 4 * MINUTE }]);
  });

  it('of a unit beyond repair stays so', () => {
    const p = alerts(['POD_PermanentlyFaulted'], [], []);
    expect(p.state('health')).toBe('permanentFault');
    expect(p.view.status).toBe('FAULTED');
  });

  it("is faulted by disabled reasons, but not by the owner's wish", () => {
    const p = new Fed('powerwall').feed(NOON, { disabledReasons: ['DisabledArcFaultLockout'] });
    expect(p.state('health')).toBe('faulted');
    p.feed(NOON + MINUTE, { disabledReasons: [] });
    expect(p.data('fault')).toMatchObject([{ code: 'DisabledArcFaultLockout', closedBy: 'cleared' }]);
    expect(new Fed('powerwall').feed(NOON, { disabledReasons: ['DisabledUserRequested'] }).state('health')).toBe('ok');
  });
});

describe('alerts', () => {
  const overheated = { name: 'X', severity: 'critical', startedAt: iso(-10) };

  it('open a fault at the time the device tells', () => {
    expect(alerts([overheated]).data('fault')).toMatchObject([{ code: 'X', openedTime: NOON - 10 * MINUTE }]);
  });

  it('close it at the time the device tells, once, however often that is told', () => {
    const ended = { ...overheated, endedAt: iso(0.5) };
    const p = alerts([overheated], [ended], [ended], [ended]);
    expect(p.data('fault')).toMatchObject([{ closedTime: NOON + 0.5 * MINUTE, closedBy: 'cleared', recurrence: 0 }]);
    expect(p.state('health')).toBe('ok');
  });

  it('that were never seen open are a fault of the past', () => {
    const p = alerts([{ ...overheated, endedAt: iso(-5) }], []);
    expect(p.data('fault')).toMatchObject([{ openedTime: NOON - 10 * MINUTE, closedTime: NOON - 5 * MINUTE }]);
    expect(p.states('health')).toEqual(['ok']);
  });

  it('that are told again long after with their old start begin when they are told', () => {
    const p = alerts([overheated], []);
    p.feed(NOON + 3 * 24 * 60 * MINUTE, { alerts: [overheated] });
    expect(p.data('fault').map((d) => d.openedTime)).toEqual([NOON - 10 * MINUTE, NOON + 3 * 24 * 60 * MINUTE]);
  });

  it('twice in one list are one', () => {
    expect(alerts(['POD_f029_HW_CMA_OV', 'POD_f029_HW_CMA_OV']).data('fault')).toHaveLength(1);
  });

  it('that come back are the same incident', () => {
    const p = alerts(['POD_f029_HW_CMA_OV'], [], ['POD_f029_HW_CMA_OV']);
    expect(p.data('fault')).toMatchObject([{ openedTime: NOON, closedTime: null, recurrence: 1 }]);
  });
});

describe('firmware', () => {
  it('changes when the device tells another version', () => {
    const p = new Fed('powerwall').feed(NOON, { firmware: '22.26.4' }).feed(NOON + MINUTE, { firmware: '22.36.6' });
    p.feed(NOON + 2 * MINUTE, { firmware: '22.36.6' }).feed(NOON + 3 * MINUTE, { firmware: '22.26.4' });
    expect(p.data('firmware_update')).toMatchObject([
      { fromVersion: '22.26.4', toVersion: '22.36.6', completedTime: NOON + MINUTE, ok: true, rollback: false },
      { fromVersion: '22.36.6', toVersion: '22.26.4', rollback: true },
    ]);
  });

  it('has an order only where its numbers have', () => {
    expect(compareVersions('22.36.6', '22.26.4')).toBeGreaterThan(0);
    expect(compareVersions('22.9', '22.10')).toBeLessThan(0);
    expect(compareVersions('22.9', '22.9.0')).toBe(0);
    expect(compareVersions('b0ec24329c08e4', 'c58c2df39ec207')).toBe(0);
  });
});

describe('what has no column', () => {
  it('is shown with its time: texts, lists, unknown fields', () => {
    const p = new Fed('powerwall').feed(NOON, {
      firmware: '1.2',
      colour: { r: 1 },
      disabledReasons: [],
      __proto__x: 1,
    });
    p.feed(NOON + MINUTE, { firmware: '1.2', colour: 7 });
    expect(p.view.extra).toMatchObject({
      firmware: { value: '1.2', deviceTime: NOON + MINUTE, valid: true },
      colour: { value: '7', deviceTime: NOON + MINUTE },
      disabledReasons: { value: [], deviceTime: NOON },
    });
  });
});

describe('derates of a Powerwall', () => {
  it('tell a full battery, which is not a weak one', () => {
    const p = new Fed('powerwall')
      .feed(NOON, { powerW: 0, availableChargeW: 0 })
      .feed(NOON + 5 * MINUTE, { powerW: 0 });
    expect(p.view.derates).toEqual(['SOC_LIMIT']);
    expect(p.view.status).toBe('STANDBY');
  });

  it('tell what an alert limits', () => {
    const p = alerts(['RealPowerAvailableLimited'], ['RealPowerAvailableLimited'], ['RealPowerAvailableLimited']);
    expect(p.view.derates).toEqual(['DERATED']);
    expect(p.view.status).toBe('DERATED');
    expect(alerts(['RampRateLimited'], [], []).view.derates).toEqual([]);
  });
});

describe('alerts are told apart by name and start', () => {
  const fault = (from: number, to?: number) => ({
    ...{ name: 'BatteryFault', severity: 'critical', startedAt: iso(from) },
    ...(to === undefined ? {} : { endedAt: iso(to) }),
  });
  const incident = (p: Fed) =>
    p
      .data('fault')
      .map((d) =>
        [d.openedTime, d.closedTime, d.recurrence].map((x, i) =>
          i < 2 && x !== null ? (Number(x) - NOON) / MINUTE : x,
        ),
      );

  it('one that ended and one that goes on: the incident came back', () => {
    const list = [fault(-30, -20), fault(-5)];
    expect(incident(alerts(list))).toEqual([[-30, null, 1]]);
    expect(incident(alerts(list, list, list))).toEqual([[-30, null, 1]]);
    expect(incident(alerts([fault(-30)], list, list))).toEqual([[-30, null, 1]]);
  });

  it('one that ended more than a day before the next is another incident', () => {
    const list = [fault(-4000, -3990), fault(-5)];
    expect(incident(alerts([fault(-4000)], list, list))).toEqual([
      [-4000, -3990, 0],
      [-5, null, 0],
    ]);
  });

  it('the end of an earlier one, told late, closes none that began after it, and opens none that is over', () => {
    expect(incident(alerts([fault(-5)], [fault(-30, -20), fault(-5)]))).toEqual([[-5, null, 0]]);
    expect(incident(alerts([fault(-5, -2)], [fault(-30, -20), fault(-5, -2)]))).toEqual([[-5, -2, 0]]);
  });
});
