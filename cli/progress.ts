import type { Io } from './io.ts';

const TERMINAL_EVERY_MS = 100;
const FILE_EVERY_MS = 5_000;

/** A line of progress on stderr: rewritten in place on a terminal, a new line every 5 s elsewhere. */
export class Progress {
  readonly #io: Io;
  readonly #started: number;
  #last: number;
  #width = 0;

  constructor(io: Io) {
    this.#io = io;
    this.#started = io.now();
    this.#last = this.#started;
  }

  /** Milliseconds since the start. */
  get elapsedMs(): number {
    return this.#io.now() - this.#started;
  }

  /** Shows `text()` if it is time. */
  tick(text: () => string): void {
    const now = this.#io.now();
    if (now - this.#last < (this.#isTerminal ? TERMINAL_EVERY_MS : FILE_EVERY_MS)) return;
    this.#last = now;
    this.show(text());
  }

  show(text: string): void {
    if (!this.#isTerminal) {
      this.#io.stderr.write(`${text}\n`);
      return;
    }
    this.#io.stderr.write(`\r${text}${' '.repeat(Math.max(0, this.#width - text.length))}`);
    this.#width = text.length;
  }

  /** Ends the line in place, so that other output starts on a new one. */
  end(): void {
    if (this.#isTerminal && this.#width > 0) this.#io.stderr.write('\n');
    this.#width = 0;
  }

  get #isTerminal(): boolean {
    return this.#io.stderr.isTTY === true;
  }
}
