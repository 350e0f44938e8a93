import { MAX_ALERTS, MAX_LIST_ITEM_CHARS } from './limits.ts';
import { OUT_OF_RANGE, UNKNOWN_WORD, WRONG_TYPE } from './problems.ts';
import { instantOf, TIME_ABSENT, TIME_END, TIME_MIN } from './time.ts';

export const SEVERITIES = ['rma', 'critical', 'performance', 'informational'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** A severity by its number in binary formats; one that is not known is told by that, 0 says nothing. */
export const severityNumbered = (number: number): string | null =>
  number === 0 ? null : (SEVERITIES[number - 1] ?? `#${number}`);

/** Number of a severity in binary formats. */
export const severityNumber = (severity: Severity): number => SEVERITIES.indexOf(severity) + 1;

/** One alert as the device reports it; times are epoch milliseconds. Without an end it is active. */
export interface Alert {
  readonly name: string;
  readonly severity: Severity | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

/** From here on a number in a field of seconds can only be milliseconds (a producer's bug): seconds would be the year 11970. */
const MILLISECONDS_FROM = 315576000000;

/**
 * The alerts of a list, each once, in ascending order of (name, startedAt, endedAt, severity); null when the value is no
 * list of alerts. A part of an alert that cannot be understood becomes null and is counted in `problems`.
 */
export function normaliseAlerts(value: unknown, problems: Int32Array): Alert[] | null {
  if (!Array.isArray(value) || value.length > MAX_ALERTS) return null;
  const alerts: Alert[] = [];
  for (const item of value) {
    const alert = alertOf(item, problems);
    if (alert === null) return null;
    alerts.push(alert);
  }
  alerts.sort(compareAlerts);
  return alerts.filter((alert, i) => i === 0 || compareAlerts(alerts[i - 1], alert) !== 0);
}

function alertOf(item: unknown, problems: Int32Array): Alert | null {
  if (typeof item === 'string')
    return isName(item) ? { name: item, severity: null, startedAt: null, endedAt: null } : null;
  if (typeof item !== 'object' || item === null) return null;
  const { name, severity, startedAt, endedAt } = item as Record<string, unknown>;
  if (!isName(name)) return null;
  return {
    name,
    severity: severityOf(severity, problems),
    startedAt: alertTime(startedAt, problems),
    endedAt: alertTime(endedAt, problems),
  };
}

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= MAX_LIST_ITEM_CHARS && value.isWellFormed();

function severityOf(value: unknown, problems: Int32Array): Severity | null {
  if (value === undefined || value === null || value === '') return null;
  const word = typeof value === 'string' ? (value.toLowerCase() as Severity) : null;
  if (word !== null && SEVERITIES.includes(word)) return word;
  problems[word === null ? WRONG_TYPE : UNKNOWN_WORD]++;
  return null;
}

function alertTime(value: unknown, problems: Int32Array): number | null {
  if (value === undefined || value === null || value === 0) return null;
  if (typeof value === 'number') {
    const ms = value >= MILLISECONDS_FROM ? Math.round(value) : Math.round(value * 1000);
    if (ms >= TIME_MIN && ms < TIME_END) return ms;
    problems[OUT_OF_RANGE]++;
    return null;
  }
  const ms = instantOf(value);
  if (ms === TIME_ABSENT) return null;
  if (!Number.isNaN(ms)) return ms;
  problems[WRONG_TYPE]++;
  return null;
}

const compareNullable = (a: number | string | null, b: number | string | null) =>
  a === b ? 0 : a === null ? -1 : b === null ? 1 : a < b ? -1 : 1;

function compareAlerts(a: Alert, b: Alert): number {
  return (
    compareNullable(a.name, b.name) ||
    compareNullable(a.startedAt, b.startedAt) ||
    compareNullable(a.endedAt, b.endedAt) ||
    compareNullable(a.severity, b.severity)
  );
}
