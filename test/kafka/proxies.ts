import { type ArmedCut, type Cut, type FaultProxy, startProxy } from './proxy.ts';

/** A proxy before each node of a cluster; what is asked is done by all of them. */
export class FaultProxies {
  readonly #proxies: readonly FaultProxy[];

  constructor(proxies: readonly FaultProxy[]) {
    this.#proxies = proxies;
  }

  /** `host:port` of each, with commas. */
  get bootstrap(): string {
    return this.#proxies.map(({ bootstrap }) => bootstrap).join(',');
  }

  /** Time in ms for which each answer is held back. */
  get delayMs(): number {
    return this.#proxies[0].delayMs;
  }

  set delayMs(ms: number) {
    for (const proxy of this.#proxies) proxy.delayMs = ms;
  }

  async accept(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.accept()));
  }

  async refuse(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.refuse()));
  }

  /** Arms a cut at each; where it hits the n-th request, each counts its own. */
  cut(cut: Cut): ArmedCut {
    const armed = this.#proxies.map((proxy) => proxy.cut(cut));
    return {
      get hits() {
        return armed.reduce((sum, { hits }) => sum + hits, 0);
      },
      disarm: () => {
        for (const one of armed) one.disarm();
      },
    };
  }
}

/** Starts a proxy between the two ports of each node. */
export async function startProxies(ports: Parameters<typeof startProxy>[0][]): Promise<FaultProxies> {
  return new FaultProxies(await Promise.all(ports.map(startProxy)));
}
