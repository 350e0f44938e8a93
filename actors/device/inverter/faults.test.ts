import { describe, expect, it } from 'vitest';
import { Fed } from '../testing/harness.ts';

const danfoss = (stateCode: number, errorCode: number, powerW = 0) => ({
  stateCode,
  errorCode,
  powerW,
  stateScheme: 'danfoss',
});
const running = danfoss(60, 0, 2500);
const failed = danfoss(70, 1364);
const night = danfoss(0, 0);

function days(...readings: readonly (readonly [string, Record<string, unknown>])[]): Fed {
  const fed = new Fed('inverter');
  for (const [time, fields] of readings) fed.feed(`2019-09-${time}:00Z`, fields);
  return fed;
}

const faults = (fed: Fed) =>
  fed.data('fault').map((d) => [d.code, d.closedTime === null ? 'open' : d.closedBy, d.recurrence]);

describe('faults of an inverter', () => {
  it('opens with the error code when the state is a fault', () => {
    const p = days(['01T10:00', running], ['01T10:10', failed]);
    expect(faults(p)).toEqual([['1364', 'open', 0]]);
    expect(p.list('fault')[0].key).toBe('T-1/1364/2019-09-01T10:10:00.000Z');
    expect(p.state('health')).toBe('faulted');
    expect(p.view.status).toBe('FAULTED');
  });

  it('has the number of the state for a code where there is no error code', () => {
    expect(faults(days(['01T10:00', { stateCode: 7, stateScheme: 'sunspec-103' }]))).toEqual([
      ['sunspec-103-7', 'open', 0],
    ]);
  });

  it('does not close at night, nor at dawn before it feeds', () => {
    const p = days(
      ['01T18:00', failed],
      ['01T20:30', night],
      ['02T07:00', danfoss(50, 0)],
      ['02T07:20', failed],
      ['02T20:30', night],
      ['03T07:00', danfoss(60, 0, 0)],
    );
    expect(faults(p)).toEqual([['1364', 'open', 0]]);
    expect(p.state('operation')).toBe('running');
    expect(p.states('health')).toEqual(['faulted']);
  });

  it('closes when it feeds', () => {
    const p = days(['01T18:00', failed], ['01T20:30', night], ['02T07:30', running]);
    expect(faults(p)).toEqual([['1364', 'productive', 0]]);
    expect(p.data('fault')[0].closedTime).toBe(Date.UTC(2019, 8, 2, 7, 30));
    expect(p.states('health')).toEqual(['faulted', 'ok']);
  });

  it('keeps the code with which it opened', () => {
    const p = days(
      ['01T10:00', failed],
      ['01T10:10', danfoss(70, 1222)],
      ['01T10:20', night],
      ['02T10:20', danfoss(70, 1222)],
    );
    expect(faults(p)).toEqual([['1364', 'open', 0]]);
  });

  it('is the same incident within 24 h of its close, and another one later', () => {
    const soon = days(['01T10:00', failed], ['01T11:00', running], ['02T10:59', failed], ['02T12:00', running]);
    expect(faults(soon)).toEqual([['1364', 'productive', 1]]);
    expect(soon.data('fault')[0]).toMatchObject({
      openedTime: Date.UTC(2019, 8, 1, 10),
      closedTime: Date.UTC(2019, 8, 2, 12),
    });
    const later = days(['01T10:00', failed], ['01T11:00', running], ['02T11:01', failed]);
    expect(faults(later)).toEqual([
      ['1364', 'productive', 0],
      ['1364', 'open', 0],
    ]);
  });

  it('counts the day from the close, not from the last time all was well', () => {
    const p = days(['01T10:00', failed], ['02T07:30', running], ['04T19:40', running], ['05T17:20', failed]);
    expect(faults(p)).toHaveLength(2);
  });

  it('is a warning while an error stops nothing, and the night does not clear that either', () => {
    const p = days(['01T10:00', danfoss(51, 1040)], ['01T20:00', night]);
    expect(faults(p)).toEqual([]);
    expect(p.state('health')).toBe('warning');
    p.feed('2019-09-02T08:00:00Z', danfoss(50, 0));
    expect(p.state('health')).toBe('ok');
    const feeding = days(['01T10:00', running], ['01T10:10', danfoss(60, 1043, 2000)], ['01T10:20', running]);
    expect(feeding.states('health')).toEqual(['ok', 'warning', 'ok']);
  });

  it('of an alert closes when it is told ended, or is no longer listed while the unit is awake', () => {
    const alert = { alerts: [{ name: 'ISOLATION', severity: 'critical' }] };
    const p = days(['01T10:00', { ...running, ...alert }], ['01T20:00', { ...night, alerts: [] }]);
    expect(faults(p)).toEqual([['ISOLATION', 'open', 0]]);
    p.feed('2019-09-02T08:00:00Z', running);
    expect(p.state('health')).toBe('faulted');
    p.feed('2019-09-02T08:10:00Z', { ...running, alerts: [] });
    expect(faults(p)).toEqual([['ISOLATION', 'cleared', 0]]);
    expect(p.state('health')).toBe('ok');
  });
});
