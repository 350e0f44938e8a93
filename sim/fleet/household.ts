import { Random } from '../random.ts';
import type { Home } from './site.ts';

const HOUR_MS = 3_600_000;
const SLOT_MS = 15 * 60_000;

/** What the household uses at this moment, W: base, morning, evening, and now and then something big for a quarter hour. */
export function householdLoad(home: Home, time: number): number {
  const hour = ((time + home.city.timeZone.offsetAt(time)) / HOUR_MS) % 24;
  const morning = 0.5 * home.eveningLoadW * bell(hour, 7.5, 1.2);
  const evening = home.eveningLoadW * bell(hour, 19.5, 2.2);
  const slot = Random.of(home.seed, home.siteId, 'load', Math.floor(time / SLOT_MS));
  const isAwake = hour > 6.5 && hour < 23;
  const big = slot.chance(isAwake ? 0.12 : 0.03) ? slot.between(900, 3800) : 0;
  const flicker = Random.of(home.seed, home.siteId, 'flicker', time).between(-0.04, 0.04);
  return Math.round((home.baseLoadW + morning + evening + big) * (1 + flicker));
}

const bell = (x: number, centre: number, width: number) => Math.exp(-(((x - centre) / width) ** 2));
