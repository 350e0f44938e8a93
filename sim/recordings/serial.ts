import { badOption, type RecordingOptions } from './contract.ts';
import { TimeZone } from '../time.ts';

/** Puts a prefix before a serial that a file names. */
export function withPrefix(prefix: string | undefined, serial: string): string {
  return prefix === undefined || prefix === '' ? serial : `${prefix}-${serial}`;
}

/** The time zone of the options, or the format's own. */
export function zoneOf(options: RecordingOptions, standard: string): TimeZone {
  const name = options.timeZone ?? standard;
  try {
    return new TimeZone(name);
  } catch {
    throw badOption('timeZone', `"${name}" is not an IANA time zone such as ${standard}`);
  }
}

/**
 * Makes serials distinct that an anonymised file gives to several assets: where one occurs more than once, each gets
 * its place among them as suffix, counted from 1. The same list always gives the same names.
 */
export function distinctSerials(serials: readonly string[]): string[] {
  const total = new Map<string, number>();
  for (const serial of serials) total.set(serial, (total.get(serial) ?? 0) + 1);
  const seen = new Map<string, number>();
  return serials.map((serial) => {
    if (total.get(serial) === 1) return serial;
    const place = (seen.get(serial) ?? 0) + 1;
    seen.set(serial, place);
    return `${serial}-${place}`;
  });
}
