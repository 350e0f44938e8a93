import { describe, expect, it } from 'vitest';
import { dayStart, dayText, monthOf, monthStart } from './calendar.ts';
import { localDay } from './zone.ts';

const day = (text: string) => Date.parse(text) / 86_400_000;
const start = (zone: string, text: string) => new Date(dayStart(zone, day(text))).toISOString();

describe('local days', () => {
  it('begin at midnight of the zone, whatever its offset that day', () => {
    expect(start('UTC', '2022-07-08')).toBe('2022-07-08T00:00:00.000Z');
    expect(start('America/Los_Angeles', '2022-07-08')).toBe('2022-07-08T07:00:00.000Z');
    expect(start('America/Los_Angeles', '2022-01-08')).toBe('2022-01-08T08:00:00.000Z');
    expect(start('Europe/Rome', '2019-09-01')).toBe('2019-08-31T22:00:00.000Z');
    expect(start('Asia/Kathmandu', '2022-07-08')).toBe('2022-07-07T18:15:00.000Z');
    expect(start('Pacific/Kiritimati', '2022-07-08')).toBe('2022-07-07T10:00:00.000Z');
  });

  it('have 23 and 25 hours when clocks change, and begin later where midnight itself is skipped', () => {
    const hours = (zone: string, text: string) =>
      (dayStart(zone, day(text) + 1) - dayStart(zone, day(text))) / 3_600_000;
    expect(hours('America/Los_Angeles', '2022-03-13')).toBe(23);
    expect(hours('America/Los_Angeles', '2022-11-06')).toBe(25);
    expect(start('America/Havana', '2022-03-13')).toBe('2022-03-13T05:00:00.000Z');
  });

  it('begin where the local day changes', () => {
    for (const zone of ['America/Los_Angeles', 'Europe/Rome', 'Asia/Kolkata', 'Australia/Lord_Howe']) {
      for (let d = day('2022-01-01'); d < day('2023-01-01'); d++) {
        const at = dayStart(zone, d);
        expect([localDay(zone, at - 1), localDay(zone, at)]).toEqual([d - 1, d]);
      }
    }
  });

  it('belong to months', () => {
    expect(dayText(day('2022-07-08'))).toBe('2022-07-08');
    expect(dayText(monthStart(monthOf(day('2022-07-08'))))).toBe('2022-07-01');
    expect(monthOf(day('1970-01-31'))).toBe(0);
    expect(dayText(monthStart(monthOf(day('2024-02-29')) + 1))).toBe('2024-03-01');
  });
});
