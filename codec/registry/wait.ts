import type { Clock } from '../../runtime/kernel/clock.ts';

/** Resolves after `delayMs`, or at once when `signal` says stop; never rejects. */
export function waitFor(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(delayMs, end);
    signal?.addEventListener('abort', end, { once: true });
  });
}

/** Growing pauses between attempts, milliseconds: doubled each time up to `maxMs`, the upper half of it by chance. */
export function backoff(attempt: number, firstMs: number, maxMs: number, random: () => number = Math.random): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
  return full * (0.5 + random() / 2);
}
