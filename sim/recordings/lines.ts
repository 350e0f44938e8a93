import { createReadStream } from 'node:fs';
import { TextDecoder } from 'node:util';
import { createGunzip } from 'node:zlib';
import { malformed, unreadable } from './contract.ts';

const MAX_LINE_CHARS = 1_000_000;

export interface Line {
  /** Counted from 1. */
  readonly number: number;
  readonly text: string;
}

/** The lines of a text file (`.gz` too), LF or CRLF, without a byte order mark and without blank lines; one chunk in memory. */
export async function* readLines(file: string): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let number = 0;
  for await (const chunk of openBytes(file)) {
    rest += decode(decoder, chunk, file, number + 1);
    let start = 0;
    for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n', start)) {
      const text = withoutCarriageReturn(rest.slice(start, end));
      number += 1;
      start = end + 1;
      if (text.trim() !== '') yield { number, text };
    }
    rest = rest.slice(start);
    if (rest.length > MAX_LINE_CHARS) throw malformed(file, number + 1, `longer than ${MAX_LINE_CHARS} characters`);
  }
  rest += decode(decoder, null, file, number + 1);
  const last = withoutCarriageReturn(rest);
  if (last.trim() !== '') yield { number: number + 1, text: last };
}

async function* openBytes(file: string): AsyncGenerator<Uint8Array> {
  const source = createReadStream(file);
  const bytes = file.endsWith('.gz') ? source.pipe(createGunzip()) : source;
  if (bytes !== source) source.on('error', (error) => bytes.destroy(error));
  try {
    for await (const chunk of bytes) yield chunk as Uint8Array;
  } catch (error) {
    throw unreadable(file, error);
  } finally {
    source.destroy();
  }
}

function decode(decoder: TextDecoder, chunk: Uint8Array | null, file: string, line: number): string {
  try {
    return chunk === null ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch (error) {
    throw malformed(file, line, `not UTF-8 text, in this line or soon after (${(error as Error).message})`);
  }
}

function withoutCarriageReturn(text: string): string {
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}
