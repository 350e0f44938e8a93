import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBUnionValue,
  type DuckDBValue,
} from '@duckdb/node-api';

/**
 * A DuckDB value as JSON: times RFC 3339 in UTC with milliseconds, integers as numbers while they are exact and as
 * strings beyond, NaN and infinities null, bytes in base64, JSON as the text it is.
 */
export function toJson(value: DuckDBValue): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return exact(value);
  const ms = epochMs(value);
  if (ms !== null) return isoTime(ms) ?? String(value);
  if (value instanceof DuckDBDecimalValue) return value.width <= 15 ? Number(value.toString()) : value.toString();
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(toJson);
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, item]) => [name, toJson(item)]));
  }
  if (value instanceof DuckDBMapValue)
    return value.entries.map(({ key, value: item }) => ({ key: toJson(key), value: toJson(item) }));
  if (value instanceof DuckDBUnionValue) return toJson(value.value);
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('base64');
  return String(value);
}

function exact(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** Epoch milliseconds (rounded down) of any kind of timestamp, else null. */
function epochMs(value: object): number | null {
  if (value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue)
    return floorDiv(value.micros, 1000n);
  if (value instanceof DuckDBTimestampMillisecondsValue) return Number(value.millis);
  if (value instanceof DuckDBTimestampSecondsValue) return Number(value.seconds) * 1000;
  if (value instanceof DuckDBTimestampNanosecondsValue) return floorDiv(value.nanos, 1_000_000n);
  return null;
}

function floorDiv(value: bigint, by: bigint): number {
  const quotient = value / by;
  return Number(value < 0n && quotient * by !== value ? quotient - 1n : quotient);
}

/** Null where JavaScript has no such date; DuckDB's infinities are among them. */
function isoTime(ms: number): string | null {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : null;
}
