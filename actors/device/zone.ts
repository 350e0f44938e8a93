const DAY_MS = 86_400_000;
const MAX_DAYS_KEPT = 4096;

/** Offset from UTC in a UTC day: `before` until the instant `change`, `after` from then on. */
interface DayOffset {
  readonly change: number;
  readonly before: number;
  readonly after: number;
}

class Zone {
  readonly #format: Intl.DateTimeFormat;
  readonly #days = new Map<number, DayOffset>();

  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  offset(ms: number): number {
    const day = Math.floor(ms / DAY_MS);
    let known = this.#days.get(day);
    if (known === undefined) {
      if (this.#days.size >= MAX_DAYS_KEPT) this.#days.clear();
      this.#days.set(day, (known = this.#look(day * DAY_MS)));
    }
    return ms < known.change ? known.before : known.after;
  }

  /** A day has at most one change of offset: its instant is found by halving. */
  #look(start: number): DayOffset {
    const before = this.#offsetAt(start);
    const after = this.#offsetAt(start + DAY_MS);
    if (before === after) return { change: start, before, after };
    let low = start;
    let high = start + DAY_MS;
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2000) * 1000;
      if (this.#offsetAt(middle) === before) low = middle;
      else high = middle;
    }
    return { change: high, before, after };
  }

  #offsetAt(ms: number): number {
    const part: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(ms)) part[type] = Number(value);
    const local = Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second);
    return local - Math.floor(ms / 1000) * 1000;
  }
}

const zones = new Map<string, Zone | null>();

function zoneNamed(name: string): Zone | null {
  let zone = zones.get(name);
  if (zone === undefined) {
    try {
      zone = new Zone(name);
    } catch {
      zone = null;
    }
    zones.set(name, zone);
  }
  return zone;
}

/** True for the name of a time zone that exists (IANA), or UTC. */
export function isTimeZone(name: string): boolean {
  return name.length <= 64 && zoneNamed(name) !== null;
}

/** Number of the local day that `ms` (epoch) falls in, counted from 1970-01-01. An unknown zone counts as UTC. */
export function localDay(name: string, ms: number): number {
  if (name === 'UTC') return Math.floor(ms / DAY_MS);
  const zone = zoneNamed(name);
  return Math.floor((ms + (zone === null ? 0 : zone.offset(ms))) / DAY_MS);
}
