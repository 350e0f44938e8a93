import type { Sink } from './io.ts';

/** Columns side by side; numbers to the right. */
export function table(columns: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = rows.map((row) => row.map(cell));
  const width = columns.map((name, i) => Math.max(shownLength(name), ...cells.map((row) => shownLength(row[i] ?? ''))));
  const isNumber = columns.map(
    (_, i) => rows.length > 0 && rows.every((row) => row[i] === null || typeof row[i] === 'number'),
  );
  const line = (values: readonly string[]): string =>
    values
      .map((value, i) => {
        const pad = ' '.repeat(width[i] - shownLength(value));
        return isNumber[i] ? pad + value : value + pad;
      })
      .join('  ')
      .trimEnd();
  return [line(columns), line(width.map((n) => '-'.repeat(n))), ...cells.map(line)].join('\n');
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return printable(text);
}

/** Control characters as escapes, so that data cannot steer the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function shownLength(text: string): number {
  return [...text].length;
}

/** One JSON value on a line of its own. */
export function writeJson(out: Sink, value: unknown): void {
  out.write(`${JSON.stringify(value)}\n`);
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;
}
