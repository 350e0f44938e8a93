import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { GridfoldError } from '../runtime/kernel/errors.ts';
import type { Io } from './io.ts';

const NEWLINE = 0x0a;
const SPACE = 0x20;

/** A longer line is not a record. The door takes bodies of 16 MiB. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024;

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly bytes: Uint8Array;
  /** The line was longer than {@link MAX_LINE_BYTES}; `bytes` holds its beginning. */
  readonly cut: boolean;
}

/** Bytes of a file, or of stdin for `-`; unpacked when they are gzip (by the name's end or by their first two bytes). */
export function openInput(file: string, io: Io): AsyncIterable<Uint8Array> {
  return unpacked(file === '-' ? io.stdin : fileBytes(file), file);
}

async function* fileBytes(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw unreadable(file, error);
  }
}

async function* unpacked(source: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  const first = await chunks.next();
  const head: Uint8Array = first.done === true ? new Uint8Array(0) : first.value;
  const rest = prepend(head, { [Symbol.asyncIterator]: () => chunks });
  if (!(head[0] === 0x1f && head[1] === 0x8b)) {
    if (file.endsWith('.gz')) throw unreadable(file, new Error('it is not gzip'));
    yield* rest;
    return;
  }
  // Whoever reads the output gets the error.
  const plain = pipeline(rest, createGunzip(), () => {}) as unknown as AsyncIterable<Buffer>;
  try {
    yield* plain;
  } catch (error) {
    throw error instanceof GridfoldError ? error : unreadable(file, error);
  }
}

async function* prepend(head: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  yield* rest;
}

function unreadable(file: string, cause: unknown): GridfoldError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new GridfoldError('input_unreadable', 'fix-configuration', `Cannot read ${file}: ${code ?? message}`, {
    cause,
  });
}

/** Lines as bytes, whatever is in them; empty ones are passed over. Holds one chunk and one line. */
export async function* readLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  let open: Uint8Array[] = [];
  let openBytes = 0;
  let number = 0;
  const close = (): Line | null => {
    number += 1;
    const bytes = open.length === 1 ? open[0] : Buffer.concat(open);
    const cut = openBytes > MAX_LINE_BYTES;
    open = [];
    openBytes = 0;
    return isBlank(bytes) ? null : { number, bytes, cut };
  };
  const add = (part: Uint8Array): void => {
    const room = MAX_LINE_BYTES - openBytes;
    if (room > 0 && part.length > 0) open.push(part.length > room ? part.subarray(0, room) : part);
    openBytes += part.length;
  };
  for await (const chunk of source) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, end));
      const line = close();
      if (line !== null) yield line;
      from = end + 1;
    }
    add(chunk.subarray(from));
  }
  const last = openBytes > 0 ? close() : null;
  if (last !== null) yield last;
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte <= SPACE);
}
