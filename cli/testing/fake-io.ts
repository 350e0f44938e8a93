import type { Io } from '../io.ts';

export interface FakeIo extends Io {
  readonly out: () => string;
  readonly err: () => string;
  /** As Ctrl-C does. */
  interrupt(): void;
  interruptAgain(): void;
}

export function fakeIo(options: { stdin?: string; environment?: Record<string, string> } = {}): FakeIo {
  const written = { out: '', err: '' };
  const first = Promise.withResolvers<string>();
  const again = Promise.withResolvers<string>();
  let time = 1_000_000;
  return {
    stdout: { write: (text) => (written.out += text) },
    stderr: { write: (text) => (written.err += text) },
    stdin: (async function* () {
      yield Buffer.from(options.stdin ?? '');
    })(),
    environment: options.environment ?? {},
    now: () => (time += 10),
    stop: { first: first.promise, again: again.promise },
    out: () => written.out,
    err: () => written.err,
    interrupt: () => first.resolve('SIGINT'),
    interruptAgain: () => again.resolve('SIGINT'),
  };
}
