import pino, { type Logger } from 'pino';
import { printable } from './output.ts';
import type { Sink } from './io.ts';

const LABELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
const OWN_FIELDS = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'name']);

/** Messages on stderr: one JSON object a line, or, on a terminal, something to read. */
export function createLog(level: string, stderr: Sink): Logger {
  const isTerminal = stderr.isTTY === true;
  return pino(
    { level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime },
    { write: (line: string) => void stderr.write(isTerminal ? readable(line) : line) },
  );
}

/** `20:15:03 warn  text key=value`. */
export function readable(line: string): string {
  const entry = JSON.parse(line) as Record<string, unknown>;
  const fields = Object.entries(entry)
    .filter(([name]) => !OWN_FIELDS.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const time = String(entry.time).slice(11, 19);
  const label = (LABELS[Number(entry.level)] ?? '').padEnd(5);
  return `${time} ${label} ${printable([entry.msg ?? '', ...fields].join(' '))}\n`;
}
