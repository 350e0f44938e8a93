const QUARTER_HOUR_MS = 900_000;
const DAY_MS = 86_400_000;
const MEMO_LIMIT = 20_000;

/**
 * Offsets of one IANA time zone. Zones change their offset at whole quarter hours, so one look-up serves a quarter.
 * Throws RangeError for a zone that does not exist.
 */
export class TimeZone {
  readonly name: string;
  #format: Intl.DateTimeFormat;
  #memo = new Map<number, number>();

  constructor(name: string) {
    this.name = name;
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  }

  /** Milliseconds that local time is ahead of UTC at this instant. */
  offsetAt(epochMs: number): number {
    const quarter = Math.floor(epochMs / QUARTER_HOUR_MS);
    const known = this.#memo.get(quarter);
    if (known !== undefined) return known;
    if (this.#memo.size >= MEMO_LIMIT) this.#memo.clear();
    const offset = this.#readOffset(quarter * QUARTER_HOUR_MS);
    this.#memo.set(quarter, offset);
    return offset;
  }

  /**
   * The instants at which clocks in this zone show `localMs` (wall-clock time written as if it were UTC), earliest first:
   * two in the hour that occurs twice. For a time that is skipped in spring: what a clock that was not yet changed means.
   */
  instantsOf(localMs: number): number[] {
    const before = this.offsetAt(localMs - DAY_MS);
    const after = this.offsetAt(localMs + DAY_MS);
    if (before === after) return [localMs - before];
    const valid = [before, after].filter((offset) => this.offsetAt(localMs - offset) === offset);
    if (valid.length === 0) return [localMs - before];
    return valid.map((offset) => localMs - offset).sort((a, b) => a - b);
  }

  /** RFC 3339 with this zone's offset, seconds precise unless there are milliseconds. */
  format(epochMs: number): string {
    return formatWithOffset(epochMs, this.offsetAt(epochMs));
  }

  /** Whole days since 1970-01-01 on the local calendar. */
  dayNumber(epochMs: number): number {
    return Math.floor((epochMs + this.offsetAt(epochMs)) / DAY_MS);
  }

  #readOffset(epochMs: number): number {
    const part = this.#format.formatToParts(epochMs).find((p) => p.type === 'timeZoneName')?.value ?? '';
    const match = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(part);
    if (match === null) return 0;
    const seconds = Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0);
    return (match[1] === '-' ? -seconds : seconds) * 1000;
  }
}

export function formatWithOffset(epochMs: number, offsetMs: number): string {
  const local = new Date(epochMs + offsetMs).toISOString();
  const clock = local.endsWith('.000Z') ? local.slice(0, 19) : local.slice(0, 23);
  if (offsetMs === 0) return `${clock}Z`;
  const minutes = Math.round(Math.abs(offsetMs) / 60_000);
  const pad = (n: number) => String(n).padStart(2, '0');
  return `${clock}${offsetMs < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
}

export interface ParsedTime {
  /** Epoch milliseconds; for a time without offset: the wall clock as if it were UTC. */
  readonly ms: number;
  readonly hasOffset: boolean;
}

const TIMESTAMP = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?$/i;

/** Reads an ISO 8601 date and time with or without offset; null when it is none, or names a day that does not exist. */
export function parseTimestamp(text: string): ParsedTime | null {
  const match = TIMESTAMP.exec(text);
  if (match === null) return null;
  const offset = match[3]?.toUpperCase();
  const ms = Date.parse(`${match[1]}T${match[2]}${offset ?? 'Z'}`);
  const day = Date.parse(`${match[1]}T00:00:00Z`);
  if (Number.isNaN(ms) || Number.isNaN(day) || !new Date(day).toISOString().startsWith(match[1])) return null;
  return { ms, hasOffset: offset !== undefined };
}
