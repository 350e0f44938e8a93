import { Random } from '../random.ts';
import type { City, Home } from './site.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const RADIANS = Math.PI / 180;

/** Sine of the sun's height: 1 in the zenith, 0 at the horizon, negative at night. Good to a degree, which is enough here. */
export function sunHeight(city: City, time: number): number {
  const dayOfYear = (time / DAY_MS) % 365.2425;
  const declination = -23.44 * RADIANS * Math.cos((2 * Math.PI * (dayOfYear + 10)) / 365.2425);
  const solarHour = (time / HOUR_MS + city.longitude / 15) % 24;
  const hourAngle = (solarHour - 12) * 15 * RADIANS;
  const latitude = city.latitude * RADIANS;
  return Math.sin(latitude) * Math.sin(declination) + Math.cos(latitude) * Math.cos(declination) * Math.cos(hourAngle);
}

/** Share of clear-sky light that clouds let through, 0.1..1: a day has its weather, and clouds pass within the hour. */
export function clearness(seed: number, city: City, time: number): number {
  const day = Random.of(seed, 'day', city.name, Math.floor(time / DAY_MS)).next();
  const cover = day < 0.5 ? 0.1 : day < 0.8 ? 0.5 : 0.85;
  const passing = smoothNoise(seed, `clouds/${city.name}`, time / (20 * 60_000));
  return 1 - cover * (0.35 + 0.65 * passing);
}

/** What the roof could give, W (AC, before the inverter's limit). */
export function roofPower(home: Home, time: number): number {
  const height = sunHeight(home.city, time);
  if (height <= 0 || home.panelW === 0) return 0;
  return home.panelW * 0.9 * height ** 1.15 * clearness(home.seed, home.city, time);
}

/** Degrees Celsius outside: warm in the afternoon and at low latitudes. */
export function outsideTemperature(city: City, time: number): number {
  return 32 - Math.abs(city.latitude) * 0.45 + 9 * sunHeight(city, time - 2 * HOUR_MS);
}

/** Noise in 0..1 that moves smoothly from one whole number of `x` to the next. */
function smoothNoise(seed: number, label: string, x: number): number {
  const left = Math.floor(x);
  const part = x - left;
  const ease = part * part * (3 - 2 * part);
  const from = Random.of(seed, label, left).next();
  const to = Random.of(seed, label, left + 1).next();
  return from + (to - from) * ease;
}
