import type { DerivedColumn, DerivedEvent } from '../../runtime/shard/derived.ts';

/** Columns of every table that mean something else than data of the same name. */
const TAKEN = new Set(['event_id', 'key', 'version', 'op', 'machine', 'topic', 'partition', 'offset', 'ordinal']);

/** Identity and all data columns of a row against its event. */
export function compareRow(
  table: string,
  row: Readonly<Record<string, unknown>>,
  event: DerivedEvent,
  columns: readonly DerivedColumn[],
  differ: (text: string) => void,
): void {
  const { serial, kind, eventTime, recordTime, key, version, op, machine, data } = event;
  const expected: [string, unknown][] = Object.entries({
    serial,
    kind,
    event_time: eventTime,
    record_time: recordTime,
    key,
    version,
    op,
    machine,
  });
  for (const { name, type } of columns) {
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const column = TAKEN.has(snake) ? `data_${snake}` : snake;
    const value = data[name] ?? null;
    if (column in row) expected.push([column, type === 'json' && value !== null ? JSON.stringify(value) : value]);
    else differ(`${table}: no column ${column}`);
  }
  for (const [column, value] of expected) {
    const stands = typeof value === 'number' ? Number(row[column]) : row[column];
    if (stands !== value)
      differ(`${table} ${event.id} ${column}: ${String(value)} expected, ${String(row[column])} found`);
  }
}
