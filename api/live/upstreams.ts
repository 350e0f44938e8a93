import type { Clock } from '../../runtime/kernel/clock.ts';
import type { Opening } from './part.ts';
import type { RemotePart } from './remote-part.ts';
import { Upstream, type UpstreamOptions } from './upstream.ts';

const firstRetryMs = 250;
const maxRetryMs = 5_000;

/** The connections of one session to other processes: opened for the first part, closed after the last one. */
export class Upstreams {
  readonly #clock: Clock;
  readonly #options: UpstreamOptions;
  readonly #open = new Map<string, Upstream>();
  readonly #retries = new Map<string, { at: number; delayMs: number }>();

  constructor(clock: Clock, options: UpstreamOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Null while the process is given time after it could not be reached, or did not have what it was asked for. */
  open(url: string, opening: Opening): RemotePart | null {
    if (this.#clock.now() < (this.#retries.get(url)?.at ?? 0)) return null;
    let upstream = this.#open.get(url);
    if (upstream === undefined) this.#open.set(url, (upstream = this.#connect(url)));
    return upstream.open(opening);
  }

  /** Called on every flush. */
  tick(now: number): void {
    for (const upstream of this.#open.values()) {
      if (upstream.isIdle) this.#close(upstream);
      else upstream.tick(now);
    }
  }

  end(): void {
    for (const upstream of this.#open.values()) this.#close(upstream);
  }

  #connect(url: string): Upstream {
    const upstream: Upstream = new Upstream(url, this.#clock.now(), this.#options, {
      confirmed: () => void this.#retries.delete(url),
      refused: () => this.#failed(url),
      lost: () => {
        if (this.#open.get(url) !== upstream) return;
        this.#open.delete(url);
        this.#failed(url);
      },
    });
    return upstream;
  }

  #close(upstream: Upstream): void {
    this.#open.delete(upstream.url);
    upstream.end();
  }

  #failed(url: string): void {
    const delayMs = Math.min(maxRetryMs, 2 * (this.#retries.get(url)?.delayMs ?? firstRetryMs / 2));
    this.#retries.set(url, { at: this.#clock.now() + delayMs, delayMs });
  }
}
