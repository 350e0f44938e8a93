import { describe, expect, it } from 'vitest';
import { isTimeZone, localDay } from './zone.ts';

const day = (zone: string, time: string) => localDay(zone, Date.parse(time));
const number = (date: string) => Date.parse(`${date}T00:00:00Z`) / 86_400_000;

describe('local day', () => {
  it.each([
    ['UTC', '2022-07-08T23:59:59Z', '2022-07-08'],
    ['Europe/Rome', '2019-09-01T21:59:59Z', '2019-09-01'],
    ['Europe/Rome', '2019-09-01T22:00:00Z', '2019-09-02'],
    ['America/Los_Angeles', '2022-03-13T07:59:59Z', '2022-03-12'],
    ['America/Los_Angeles', '2022-03-13T08:00:00Z', '2022-03-13'],
    ['America/Los_Angeles', '2022-03-14T06:59:59Z', '2022-03-13'],
    ['America/Los_Angeles', '2022-03-14T07:00:00Z', '2022-03-14'],
    ['America/Los_Angeles', '2022-11-07T07:59:59Z', '2022-11-06'],
    ['America/Los_Angeles', '2022-11-07T08:00:00Z', '2022-11-07'],
    ['Asia/Kathmandu', '2022-07-08T18:14:59Z', '2022-07-08'],
    ['Asia/Kathmandu', '2022-07-08T18:15:00Z', '2022-07-09'],
    ['Nowhere/Here', '2022-07-08T18:15:00Z', '2022-07-08'],
  ])('%s %s is %s', (zone, time, date) => {
    expect(day(zone, time)).toBe(number(date));
  });

  it('knows which zones there are', () => {
    expect(isTimeZone('Europe/Rome')).toBe(true);
    expect(isTimeZone('Mars/Olympus')).toBe(false);
  });
});
