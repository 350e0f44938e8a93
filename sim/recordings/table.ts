import { malformed } from './contract.ts';
import { readLines } from './lines.ts';

/** Finds columns by the names in the header, letter case and order aside. */
export class Header {
  readonly names: readonly string[];
  readonly file: string;
  readonly line: number;
  #index = new Map<string, number>();

  constructor(file: string, line: number, names: readonly string[]) {
    this.file = file;
    this.line = line;
    this.names = names;
    names.forEach((name, i) => {
      const key = name.toLowerCase();
      if (!this.#index.has(key)) this.#index.set(key, i);
    });
  }

  /** Column number, or -1 when the file has no such column. */
  find(name: string): number {
    return this.#index.get(name.toLowerCase()) ?? -1;
  }

  require(name: string): number {
    const column = this.find(name);
    if (column === -1) {
      throw malformed(this.file, this.line, `no column "${name}"; the header names ${this.names.join(', ')}`);
    }
    return column;
  }
}

/** One row of a table, with its place in the file for error messages. */
export class Row {
  readonly file: string;
  readonly line: number;
  readonly header: Header;
  readonly cells: readonly string[];

  constructor(header: Header, line: number, cells: readonly string[]) {
    this.file = header.file;
    this.line = line;
    this.header = header;
    this.cells = cells;
  }

  /** Text of a column; empty when the column is missing (-1). */
  text(column: number): string {
    return column === -1 ? '' : this.cells[column];
  }

  /** Number in a column; undefined when the column is missing or the cell is empty. */
  number(column: number): number | undefined {
    const text = this.text(column);
    if (text === '') return undefined;
    const value = Number(text);
    if (!Number.isFinite(value)) {
      throw malformed(this.file, this.line, `"${text}" in column "${this.header.names[column]}" is not a number`);
    }
    return value === 0 ? 0 : value;
  }
}

/** Rows of a comma-separated file with a header line; cells are trimmed and may be quoted (but not span lines). */
export async function* readTable(file: string): AsyncGenerator<Row> {
  let header: Header | null = null;
  for await (const line of readLines(file)) {
    const cells = splitCells(line.text);
    if (cells === null) throw malformed(file, line.number, 'a quoted cell does not end');
    if (header === null) {
      header = new Header(file, line.number, cells);
      continue;
    }
    if (cells.length !== header.names.length) {
      throw malformed(file, line.number, `${cells.length} cells, but the header names ${header.names.length} columns`);
    }
    yield new Row(header, line.number, cells);
  }
  if (header === null) throw malformed(file, null, 'the file is empty');
}

/** Splits one CSV line (RFC 4180); null when a quoted cell is not closed. */
export function splitCells(text: string): string[] | null {
  if (!text.includes('"')) return text.split(',').map((cell) => cell.trim());
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    while (text[at] === ' ') at += 1;
    if (text[at] === '"') {
      const quoted = readQuoted(text, at);
      if (quoted === null) return null;
      cells.push(quoted.cell);
      at = text.indexOf(',', quoted.end);
    } else {
      const end = text.indexOf(',', at);
      cells.push(text.slice(at, end === -1 ? text.length : end).trim());
      at = end;
    }
    if (at === -1) return cells;
    at += 1;
  }
}

function readQuoted(text: string, start: number): { cell: string; end: number } | null {
  let cell = '';
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] !== '"') {
      cell += text[at];
    } else if (text[at + 1] === '"') {
      cell += '"';
      at += 1;
    } else {
      return { cell: cell.trim(), end: at + 1 };
    }
  }
  return null;
}
