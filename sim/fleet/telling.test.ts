import { describe, expect, test } from 'vitest';
import { stepAlerts } from './alerts.ts';
import { changedFields, nothingTold } from './sparse.ts';

const T1 = '2024-01-01T00:00:00Z';
const T2 = '2024-01-01T00:05:00Z';
const full = { name: 'POD_w110_SW_EOC', severity: 'informational' } as const;

describe('telling', () => {
  test('an alert is told when it begins, kept silent while it lasts, and told once more with its end', () => {
    const began = stepAlerts([], [full], T1);
    expect(began.reported).toEqual([{ ...full, startedAt: T1 }]);
    expect(stepAlerts(began.active, [full], T2)).toEqual({ active: began.active, reported: null });
    const ended = stepAlerts(began.active, [], T2);
    expect(ended).toEqual({ active: [], reported: [{ ...full, startedAt: T1, endedAt: T2 }] });
  });

  test('a field is told when it changes, and all of them after an hour', () => {
    const first = changedFields(nothingTold, { mode: 'backup', reasons: [] }, 4_000_000);
    expect(first.fields).toEqual({ mode: 'backup', reasons: [] });
    const same = changedFields(first.told, { mode: 'backup', reasons: [] }, 4_300_000);
    expect(same.fields).toEqual({});
    const changed = changedFields(same.told, { mode: 'backup', reasons: ['x'] }, 4_600_000);
    expect(changed.fields).toEqual({ reasons: ['x'] });
    expect(changedFields(changed.told, { mode: 'backup', reasons: ['x'] }, 7_600_000).fields).toEqual({
      mode: 'backup',
      reasons: ['x'],
    });
  });
});
