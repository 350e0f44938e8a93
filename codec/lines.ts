import { MAX_RECORD_BYTES } from './limits.ts';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const MAX_LINE_BYTES = 1024 * 1024;

export interface LineHandler {
  /** A line is bytes [start, end), without its line end. The bytes are only lent for the call. `line` counts from 1. */
  line(bytes: Uint8Array, start: number, end: number, line: number): void;
  /** A line over the limit: its first 64 KiB. The rest up to the next line end was skipped. */
  tooLong(head: Uint8Array, line: number): void;
}

/**
 * Splits NDJSON that comes in chunks into lines. Blank lines are passed over, as is a byte order mark at the very start.
 * Holds at most one line, and never more than `maxLineBytes` (default 1 MiB).
 */
export class LineSplitter {
  private readonly handler: LineHandler;
  private readonly maxLineBytes: number;
  /** Begin of a line whose end has not come yet. */
  private held: Buffer[] = [];
  private heldBytes = 0;
  /** Head of a line that is over the limit and being skipped. */
  private head: Buffer | null = null;
  private number = 1;

  constructor(handler: LineHandler, maxLineBytes = MAX_LINE_BYTES) {
    this.handler = handler;
    this.maxLineBytes = maxLineBytes;
  }

  /** Takes the next chunk. It may be reused afterwards: what is held is a copy. */
  push(chunk: Uint8Array): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.complete(chunk, start, end);
      this.number++;
      start = end + 1;
    }
    if (start < chunk.length) this.hold(chunk.subarray(start));
  }

  /** The input has ended: what is held is the last line. */
  end(): void {
    this.complete(new Uint8Array(0), 0, 0);
  }

  private complete(chunk: Uint8Array, start: number, end: number): void {
    if (this.head === null && this.heldBytes === 0 && end - start <= this.maxLineBytes) {
      this.emit(chunk, start, end);
      return;
    }
    if (end > start) this.hold(chunk.subarray(start, end));
    if (this.head !== null) {
      const head = this.head;
      this.head = null;
      this.handler.tooLong(head, this.number);
      return;
    }
    const line = Buffer.concat(this.held, this.heldBytes);
    this.held = [];
    this.heldBytes = 0;
    this.emit(line, 0, line.length);
  }

  private emit(bytes: Uint8Array, start: number, end: number): void {
    let from = start;
    let to = end;
    if (this.number === 1 && bytes[from] === 0xef && bytes[from + 1] === 0xbb && bytes[from + 2] === 0xbf) from += 3;
    if (to > from && bytes[to - 1] === RETURN) to--;
    let p = from;
    while (p < to && (bytes[p] === 0x20 || bytes[p] === 0x09)) p++;
    if (p < to) this.handler.line(bytes, from, to, this.number);
  }

  private hold(part: Uint8Array): void {
    if (this.head !== null) return;
    this.held.push(Buffer.from(part.subarray(0, this.maxLineBytes + 1)));
    this.heldBytes += part.length;
    if (this.heldBytes <= this.maxLineBytes) {
      if (this.held.length > MAX_PARTS) this.held = [Buffer.concat(this.held)];
      return;
    }
    this.head = Buffer.from(Buffer.concat(this.held).subarray(0, MAX_RECORD_BYTES));
    this.held = [];
    this.heldBytes = 0;
  }
}

/** Tiny chunks are joined now and then, so that a line of single bytes does not cost an object each. */
const MAX_PARTS = 1024;
