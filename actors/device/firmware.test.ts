import { describe, expect, it } from 'vitest';
import { compareVersions } from './extras.ts';
import { Fed } from './testing/harness.ts';
import { kinds } from './index.ts';

const START = Date.parse('2022-07-08T12:00:00Z');
const MINUTE = 60_000;

describe('firmware as the device tells it', () => {
  it.each(kinds.map((k) => k.name))(
    '%s: the update lies between the last reading before and the first after',
    (name) => {
      const fed = new Fed(name)
        .feed(START, { powerW: 0, firmware: '1.2.3' })
        .feed(START + MINUTE, { powerW: 0 })
        .feed(START + 20 * MINUTE, { powerW: 0, firmware: '1.10.0' });
      expect(fed.list('firmware_update')).toEqual([
        {
          type: 'firmware_update',
          key: `T-1/telemetry/2022-07-08T12:20:00.000Z`,
          at: START + 20 * MINUTE,
          data: {
            ...{ fromVersion: '1.2.3', toVersion: '1.10.0', ok: true, rollback: false, source: 'telemetry' },
            ...{ startedTime: START + MINUTE, completedTime: START + 20 * MINUTE },
          },
        },
      ]);
      expect(fed.data('fault')).toEqual([]);
    },
  );

  it('says nothing when the version is told again, and of the first one', () => {
    const fed = new Fed('inverter').feed(START, { powerW: 1, firmware: '1' }).feed(START + MINUTE, { firmware: '1' });
    expect(fed.data('firmware_update')).toEqual([]);
  });

  it('knows a rollback', () => {
    const fed = new Fed('powerwall');
    for (const [i, firmware] of ['22.26.4', '22.36.6', '22.26.4'].entries()) {
      fed.feed(START + i * MINUTE, { powerW: 0, firmware });
    }
    expect(fed.data('firmware_update').map((d) => d.rollback)).toEqual([false, true]);
  });

  it.each([
    ['22.36.6', '22.26.4', 1],
    ['1.9', '1.10', -1],
    ['1.2', '1.2.0', 0],
    ['2.0.0-rc1', '2.0.0', 0],
    ['nightly', '1.0', 0],
    ['7', '8', 0],
  ])('%s against %s: %i', (a, b, sign) => {
    expect(Math.sign(compareVersions(a, b))).toBe(sign);
  });
});
