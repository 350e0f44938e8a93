/** Numbers, times and names as people read them. */

const digits = (value, places) =>
  value.toLocaleString('en', { minimumFractionDigits: places, maximumFractionDigits: places });

function scaled(value, unit) {
  if (typeof value !== 'number' || !Number.isFinite(value)) return ['–', ''];
  const size = Math.abs(value);
  if (size >= 1e9) return [digits(value / 1e9, 2), `G${unit}`];
  if (size >= 1e6) return [digits(value / 1e6, 2), `M${unit}`];
  if (size >= 1e3) return [digits(value / 1e3, size >= 1e5 ? 0 : size >= 1e4 ? 1 : 2), `k${unit}`];
  return [digits(value, 0), unit];
}

/** `[number, unit]`, for instance `['12.3', 'kW']`. */
export const watts = (value) => scaled(value, 'W');
export const wattHours = (value) => scaled(value, 'Wh');
export const joined = ([number, unit]) => (unit ? `${number} ${unit}` : number);

export function percent(fraction) {
  return typeof fraction === 'number' && Number.isFinite(fraction)
    ? `${digits(fraction * 100, fraction < 0.1 ? 1 : 0)} %`
    : '–';
}

export const integer = (value) => (typeof value === 'number' ? digits(value, 0) : '–');

/** How long ago, or ahead; short. */
export function ago(time, now = Date.now()) {
  const at = typeof time === 'number' ? time : Date.parse(time ?? '');
  if (Number.isNaN(at)) return '–';
  const seconds = Math.round((now - at) / 1000);
  if (seconds < -5) return `in ${span(-seconds * 1000)}`;
  return seconds < 5 ? 'now' : `${span(seconds * 1000)} ago`;
}

/** A duration in at most two units. */
export function span(ms) {
  if (typeof ms !== 'number' || !Number.isFinite(ms)) return '–';
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 && hours < 10 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return days < 730 ? `${days} d` : `${Math.floor(days / 365)} y`;
}

const clockTime = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dayName = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });

export const timeOfDay = (time) => (Number.isNaN(Date.parse(time)) ? '–' : clockTime.format(new Date(time)));
export const day = (time) => (Number.isNaN(Date.parse(time)) ? '–' : dayName.format(new Date(time)));
const shortTime = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});
/** Day and time without the year, for tables of what was lately. */
export const recently = (time) => (Number.isNaN(Date.parse(time)) ? '–' : shortTime.format(new Date(time)));
export const moment = (time) => (Number.isNaN(Date.parse(time)) ? '–' : `${day(time)}, ${timeOfDay(time)}`);

const kinds = {
  powerwall: 'Powerwall',
  inverter: 'Solar inverter',
  megapack: 'Megapack',
  supercharger: 'Supercharger',
};
export const kindName = (kind) => (Object.hasOwn(kinds, kind) ? kinds[kind] : kind);

export const assetHref = (serial) => `#/asset/${encodeURIComponent(serial)}`;
export const siteHref = (siteId) => `#/site/${encodeURIComponent(siteId)}`;

/** `2 Superchargers` */
export const countOf = (n, kind) => `${integer(n)} ${kindName(kind)}${n === 1 ? '' : 's'}`;

/** `TransitionToIsland`, `NOT_IN_SERVICE` and `EVDisconnected` as words. */
export function words(name) {
  const spaced = String(name ?? '')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase()
    .replace(/\bso ?([ec])\b/g, (_all, letter) => `So${letter.toUpperCase()}`)
    .replace(/\b(ev|evse|fcr|mppt|mci|rma)\b/g, (short) => short.toUpperCase());
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

const tones = [
  [/fault|trip|error/i, 'bad'],
  [/offline|never|disconnected/i, 'away'],
  [/stale/i, 'warn'],
  [/derat|throttl|warning|soc_?protection|suspended/i, 'warn'],
  [/island|transition/i, 'island'],
  [/not_?in_?service|decommission|recycled|returned|out_?of|disabled|instock|in_?transit|manufactured/i, 'off'],
  [/maintenance|updating|install|download|commission|reboot|verif|init|starting/i, 'work'],
  [/^charging$/i, 'in'],
  [/^(discharging|running|mppt)$/i, 'out'],
  [/full|inservice|online|^ok$|gridtied|available/i, 'good'],
];

/** The colour family of a state: bad, away, warn, island, off, work, in, out, good or idle. */
export function tone(state) {
  return tones.find(([pattern]) => pattern.test(state))?.[1] ?? 'idle';
}
