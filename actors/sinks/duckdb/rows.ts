import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  DuckDBDataChunk,
  DuckDBTimestampTZValue,
  type DuckDBType,
  type DuckDBValue,
  TIMESTAMPTZ,
  VARCHAR,
} from '@duckdb/node-api';
import { GridfoldError } from '../../../runtime/kernel/errors.ts';
import type { DerivedColumnType, DerivedEvent } from '../../../runtime/shard/derived.ts';
import { breathe } from '../breathe.ts';
import { type Cause, parseEventId } from '../event-id.ts';
import type { FixedColumn, PlannedColumn, TablePlan } from './schema.ts';

/** Rows of a chunk (DuckDB allows 2048): converting one is the longest time that the event loop waits for a sink. */
const chunkRows = 512;

const chunkTypes: Readonly<Record<DerivedColumnType, DuckDBType>> = {
  text: VARCHAR,
  double: DOUBLE,
  integer: BIGINT,
  boolean: BOOLEAN,
  time: TIMESTAMPTZ,
  json: VARCHAR,
};

/**
 * Events of one table as chunks, ready to append in the table's column order (`order`: names as they stand in the
 * file; names the plan does not know are NULL). Throws `sink_event_invalid` (stop), naming event and column, when a
 * value does not fit, and does so before anything is written.
 */
export async function toChunks(
  plan: TablePlan,
  order: readonly StandingColumn[],
  events: readonly DerivedEvent[],
): Promise<DuckDBDataChunk[]> {
  const planned = new Map(plan.columns.map((c) => [c.name, c]));
  const columns = order.map((o) => planned.get(o.name) ?? null);
  const types = columns.map((c) => (c === null ? VARCHAR : chunkTypes[c.type]));
  const causes = events.map((event) => parseEventId(event.id));
  const chunks: DuckDBDataChunk[] = [];
  for (let start = 0; start < events.length; start += chunkRows) {
    const end = Math.min(start + chunkRows, events.length);
    const chunk = DuckDBDataChunk.create(types, end - start);
    columns.forEach((column, index) => {
      const values: DuckDBValue[] = new Array(end - start).fill(null);
      if (column !== null) {
        for (let i = start; i < end; i++) values[i - start] = cell(column, events[i], causes[i]);
      }
      chunk.setColumnValues(index, values);
    });
    chunks.push(chunk);
    await breathe();
  }
  return chunks;
}

/** A column as it stands in the file. */
export interface StandingColumn {
  readonly name: string;
  readonly type: string;
}

function cell(column: PlannedColumn, event: DerivedEvent, cause: Cause): DuckDBValue {
  let value = column.data === null ? null : event.data[column.data];
  if (column.fixed !== null && (value === null || value === undefined)) value = envelope(column.fixed, event, cause);
  if (value === null || value === undefined) return null;
  const converted = convert(column.type, value);
  if (converted === undefined) throw misfit(column, event, value);
  return converted;
}

function envelope(column: FixedColumn, event: DerivedEvent, cause: Cause): unknown {
  switch (column) {
    case 'event_id':
      return event.id;
    case 'serial':
      return event.serial;
    case 'kind':
      return event.kind;
    case 'site_id':
      return event.siteId;
    case 'event_time':
      return event.eventTime;
    case 'record_time':
      return event.recordTime;
    case 'key':
      return event.key;
    case 'version':
      return event.version;
    case 'op':
      return event.op;
    case 'machine':
      return event.machine;
    default:
      return cause[column];
  }
}

/** The value as DuckDB takes it, or undefined when it does not fit the column. */
function convert(type: DerivedColumnType, value: unknown): DuckDBValue | undefined {
  switch (type) {
    case 'text':
      return typeof value === 'string' ? value : typeof value === 'object' ? undefined : String(value);
    case 'double':
      return typeof value === 'number' ? value : undefined;
    case 'integer':
      return Number.isSafeInteger(value) ? BigInt(value as number) : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined;
    case 'time': {
      const ms = typeof value === 'string' ? Date.parse(value) : value;
      return Number.isSafeInteger(ms) ? new DuckDBTimestampTZValue(BigInt(ms as number) * 1000n) : undefined;
    }
    case 'json':
      return wellFormed(JSON.stringify(value));
  }
}

/** Half a surrogate pair, as JSON.stringify escapes it; an even number of backslashes before it belongs to the text. */
const lonely = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;

/** JSON that DuckDB can read: it takes no half surrogate pairs, and one of them would spoil queries over the column. */
function wellFormed(json: string): string {
  return json.includes('\\ud') ? json.replace(lonely, '$1\\ufffd') : json;
}

function misfit(column: PlannedColumn, event: DerivedEvent, value: unknown): GridfoldError {
  const shown = JSON.stringify(value)?.slice(0, 80);
  return new GridfoldError(
    'sink_event_invalid',
    'stop',
    `event ${event.id} (${event.type}): ${shown} does not fit column ${column.name} of type ${column.sqlType}`,
  );
}
