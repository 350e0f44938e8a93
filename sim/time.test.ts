import { describe, expect, test } from 'vitest';
import { formatWithOffset, parseTimestamp, TimeZone } from './time.ts';

describe('time zone', () => {
  const rome = new TimeZone('Europe/Rome');

  test('knows both instants of the hour that occurs twice', () => {
    const instants = rome.instantsOf(Date.UTC(2019, 9, 27, 2, 30));
    expect(instants.map((ms) => new Date(ms).toISOString())).toEqual([
      '2019-10-27T00:30:00.000Z',
      '2019-10-27T01:30:00.000Z',
    ]);
  });

  test('reads a skipped time as a clock that was not yet changed', () => {
    const instants = rome.instantsOf(Date.UTC(2019, 2, 31, 2, 30));
    expect(instants.map((ms) => rome.format(ms))).toEqual(['2019-03-31T03:30:00+02:00']);
  });

  test('counts days by the local calendar', () => {
    const beforeMidnight = Date.parse('2019-09-01T23:59:00+02:00');
    expect(rome.dayNumber(beforeMidnight + 60_000) - rome.dayNumber(beforeMidnight)).toBe(1);
  });

  test('writes offsets of every shape', () => {
    expect(formatWithOffset(0, 0)).toBe('1970-01-01T00:00:00Z');
    expect(formatWithOffset(1, -(3.5 * 3_600_000))).toBe('1969-12-31T20:30:00.001-03:30');
  });

  test('refuses zones and days that do not exist', () => {
    expect(() => new TimeZone('Europe/Atlantis')).toThrow(RangeError);
    for (const text of ['2019-02-30 00:00:00', '2019-13-01', 'yesterday', '']) expect(parseTimestamp(text)).toBeNull();
  });
});
