import { isTimeZone } from '../../codec/lifecycle-data.ts';
import { Misreading, type ScenarioAsset } from './script.ts';
import { parseDuration } from './time.ts';
import { kindNamed } from './vocabulary.ts';

/** Reads what follows `asset`: `SERIAL KIND [cadence DURATION] [zone NAME]`. */
export function parseAsset(rest: readonly string[], others: readonly ScenarioAsset[]): ScenarioAsset {
  const [serial, kind, ...options] = rest;
  if (kind === undefined) throw new Misreading('write asset SERIAL KIND [cadence 10m] [zone Europe/Rome]');
  kindNamed(kind);
  if (others.some((a) => a.serial === serial)) throw new Misreading(`asset ${serial} is named twice`);
  let cadenceMs: number | null = null;
  let timeZone: string | null = null;
  for (let i = 0; i < options.length; i += 2) {
    const value = options[i + 1] ?? '';
    if (options[i] === 'cadence') cadenceMs = parseDuration(value);
    else if (options[i] === 'zone' && isTimeZone(value)) timeZone = value;
    else if (options[i] === 'zone') throw new Misreading(`"${value}" is no IANA time zone, for instance Europe/Rome`);
    else throw new Misreading(`"${options[i]}": after the kind come cadence DURATION and zone NAME`);
  }
  for (const other of others) {
    if (other.kind !== kind || (other.cadenceMs === cadenceMs && other.timeZone === timeZone)) continue;
    throw new Misreading('cadence and zone are those of the kind; what differs comes with lifecycle installed');
  }
  return { serial, kind, cadenceMs, timeZone };
}
