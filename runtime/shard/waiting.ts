import type { InputTopic } from './contract.ts';

export type Done = (error?: unknown) => void;

type Offsets = Readonly<Record<InputTopic, number>>;

interface Waiter {
  readonly topic: InputTopic;
  readonly offset: number;
  readonly done: Done;
}

/** Who waits for a shard: until an input is committed up to an offset, or until what it was asked for is done. */
export class Waiting {
  readonly #waiters = new Set<Waiter>();
  /** A shard that fails does nothing more of what it was asked for. */
  readonly #asked = new Set<Done>();

  /** Resolves with {@link wake}; rejects with {@link disappoint}, or when `signal` ends the waiting. */
  reached(topic: InputTopic, offset: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = () => waiter.done(signal?.reason);
      const done: Done = (error) => {
        signal?.removeEventListener('abort', giveUp);
        this.#waiters.delete(waiter);
        if (error === undefined) resolve();
        else reject(error as Error);
      };
      const waiter: Waiter = { topic, offset, done };
      signal?.addEventListener('abort', giveUp);
      this.#waiters.add(waiter);
    });
  }

  /** Resolves when what `send` passes on is done; rejects with {@link disappoint}. */
  ask(send: (done: Done) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const done: Done = (error) => {
        this.#asked.delete(done);
        if (error === undefined) resolve();
        else reject(error as Error);
      };
      this.#asked.add(done);
      send(done);
    });
  }

  /** Whether somebody waits for a commit of just this. */
  isFor(position: Offsets): boolean {
    for (const { topic, offset } of this.#waiters) if (position[topic] >= offset) return true;
    return false;
  }

  isForTopic(topic: InputTopic): boolean {
    for (const waiter of this.#waiters) if (waiter.topic === topic) return true;
    return false;
  }

  wake(committed: Offsets): void {
    for (const { topic, offset, done } of [...this.#waiters]) if (committed[topic] >= offset) done();
  }

  /** Nobody waits for a shard that does nothing more. */
  disappoint(error: unknown): void {
    for (const done of [...this.#asked, ...[...this.#waiters].map((waiter) => waiter.done)]) done(error);
  }
}
