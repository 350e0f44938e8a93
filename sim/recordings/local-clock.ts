import { parseTimestamp, type TimeZone } from '../time.ts';

/**
 * Gives naive local times their instant, one series (for instance a serial) at a time. In the hour that occurs twice
 * a row takes the first instant that is later than the row before it in the same series: so the hour is read as it was
 * written. What is behind the series anyway (a repeated or late row) means the first occurrence.
 */
export class LocalClock {
  #zone: TimeZone;
  #last = new Map<string, number>();

  constructor(zone: TimeZone) {
    this.#zone = zone;
  }

  /** Epoch milliseconds of a time with or without offset, or null when the text is no time. */
  instant(series: string, text: string): number | null {
    const parsed = parseTimestamp(text);
    if (parsed === null) return null;
    const last = this.#last.get(series) ?? Number.NEGATIVE_INFINITY;
    const instants = parsed.hasOffset ? [parsed.ms] : this.#zone.instantsOf(parsed.ms);
    const instant = instants.find((candidate) => candidate > last) ?? instants[0];
    if (instant > last) this.#last.set(series, instant);
    return instant;
  }
}
