/** What a command may touch of the process: tests give it their own. */
export interface Io {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves at the first request to stop (Ctrl-C, SIGTERM); `again` at a second one, at least a second later. */
  readonly stop: { readonly first: Promise<string>; readonly again: Promise<string> };
}

export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** A terminal sends Ctrl-C to the whole process group, and every parent forwards it: signals so close together are one. */
const SAME_SIGNAL_MS = 1_000;

/** The process itself. */
export function processIo(): Io {
  // A reader that went away (`| head`) is not an error.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
      throw error;
    });
  }
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    environment: process.env,
    now: Date.now,
    // Only those who ask take the signals: other commands end at once, as programs do.
    get stop() {
      return (stopSignals ??= watchSignals());
    },
  };
}

let stopSignals: Io['stop'] | undefined;

function watchSignals(): Io['stop'] {
  const first = Promise.withResolvers<string>();
  const again = Promise.withResolvers<string>();
  let firstAt: number | null = null;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      firstAt ??= performance.now();
      if (performance.now() - firstAt >= SAME_SIGNAL_MS) again.resolve(signal);
      first.resolve(signal);
    });
  }
  return { first: first.promise, again: again.promise };
}
