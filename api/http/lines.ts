import type { Readable } from 'node:stream';
import { Problem } from './problem.ts';

/** One record of a body: its bytes as they were sent, and its line (NDJSON) or place in the array, from 1. */
export interface BodyLine {
  readonly number: number;
  readonly bytes: Uint8Array;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openList = 0x5b;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;
const newline = 0x0a;

/** Reads a body whole, or fails with 413 as soon as it is longer than `maxBytes`. */
export async function readBody(stream: Readable, maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw new Problem(413, 'too_large', `A body has at most ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length);
}

/**
 * The records of a body. NDJSON: its lines. JSON: the elements of an array, one object over several lines, or else the
 * lines. Slices of `body`, never copies. What a record holds is not looked at; an array that does not end is refused
 * whole.
 */
export function* recordsOf(body: Uint8Array, format: 'json' | 'ndjson'): Generator<BodyLine> {
  if (format === 'ndjson') {
    yield* lines(body);
    return;
  }
  const start = skipSpace(body, 0);
  if (start === body.length) return;
  if (body[start] === openList) {
    checkArray(body, start);
    yield* elements(body, start + 1);
  } else if (body[start] === openObject && skipSpace(body, endOfValue(body, start)) === body.length) {
    yield { number: 1, bytes: body.subarray(start, endOfValue(body, start)) };
  } else {
    yield* lines(body);
  }
}

function* lines(body: Uint8Array): Generator<BodyLine> {
  let number = 0;
  for (let from = 0; from < body.length; ) {
    const found = body.indexOf(newline, from);
    const end = found < 0 ? body.length : found;
    number += 1;
    const line = trim(body, from, end);
    if (line.length > 0) yield { number, bytes: line };
    from = end + 1;
  }
}

function* elements(body: Uint8Array, from: number): Generator<BodyLine> {
  let number = 0;
  for (let at = from; ; ) {
    const end = endOfElement(body, at);
    const element = trim(body, at, end);
    if (element.length > 0 || body[end] === comma || number > 0) yield { number: ++number, bytes: element };
    if (body[end] !== comma) return;
    at = end + 1;
  }
}

/** The array must end, and nothing may follow it. */
function checkArray(body: Uint8Array, start: number): void {
  const end = endOfValue(body, start);
  if (end > body.length || body[end - 1] !== closeList) {
    throw malformed(body.length, 'the JSON array does not end');
  }
  const rest = skipSpace(body, end);
  if (rest < body.length) throw malformed(rest, 'something follows the JSON array');
}

function malformed(at: number, what: string): Problem {
  const detail = `At byte ${at}: ${what}.`;
  return new Problem(400, 'malformed_json', detail, { errors: [{ pointer: '', detail }] });
}

/** Index of the `,` or `]` that ends the element beginning at `at`. */
function endOfElement(body: Uint8Array, at: number): number {
  let depth = 0;
  for (let i = at; i < body.length; i++) {
    const byte = body[i];
    if (byte === quote) i = endOfString(body, i);
    else if (byte === openObject || byte === openList) depth += 1;
    else if (depth === 0 && (byte === comma || byte === closeList)) return i;
    else if (byte === closeObject || byte === closeList) depth -= 1;
  }
  return body.length;
}

/** Index after the bracketed value that begins at `at`; beyond the end of the body when it does not end. */
function endOfValue(body: Uint8Array, at: number): number {
  let depth = 0;
  for (let i = at; i < body.length; i++) {
    const byte = body[i];
    if (byte === quote) i = endOfString(body, i);
    else if (byte === openObject || byte === openList) depth += 1;
    else if ((byte === closeObject || byte === closeList) && --depth === 0) return i + 1;
  }
  return body.length + 1;
}

function endOfString(body: Uint8Array, open: number): number {
  for (let i = open + 1; i < body.length; i++) {
    if (body[i] === backslash) i += 1;
    else if (body[i] === quote) return i;
  }
  return body.length;
}

const isSpace = (byte: number) => byte === 0x20 || byte === newline || byte === 0x0d || byte === 0x09;

function skipSpace(body: Uint8Array, from: number): number {
  let at = from;
  while (at < body.length && isSpace(body[at])) at += 1;
  return at;
}

function trim(body: Uint8Array, from: number, to: number): Uint8Array {
  const start = Math.min(skipSpace(body, from), to);
  let end = to;
  while (end > start && isSpace(body[end - 1])) end -= 1;
  return body.subarray(start, end);
}
