import { WebSocket } from 'ws';
import { subprotocol } from '../../api/live/protocol.ts';
import { HalfSeconds } from './half-seconds.ts';

const SAMPLE_MS = 50;
const RECONNECT_MS = 20;

interface Stamped {
  readonly k: string;
  readonly et: string | null;
}

interface Frame extends Stamped {
  readonly t: string;
  readonly seq?: number;
  readonly items?: readonly Stamped[];
  readonly to?: number;
  readonly why?: string;
  readonly code: string;
}

/**
 * A live client that knows when what it should see was sent: for each record how long it took until the state shown was
 * as new, and how far the state shown was behind at any time.
 */
export class LiveWatch {
  /** From a record's being sent to a state as new as it, ms. */
  readonly latencies: number[] = [];
  readonly halfSeconds = new HalfSeconds();
  /** Age of the oldest record that is not shown yet, by asset and sample, ms. */
  readonly staleness: number[] = [];
  readonly counts = {
    deltas: 0,
    snapshots: 0,
    gaps: {} as Record<string, number>,
    errors: {} as Record<string, number>,
    connections: 0,
    byes: 0,
  };
  /** Sequence numbers that were passed without a gap, and connections that ended without a bye. */
  readonly silent = { passed: 0, ended: 0 };
  isMeasuring = false;
  readonly #urls: () => readonly string[];
  /** By asset: when the records were sent that are not shown yet. */
  readonly #waiting = new Map<string, number[]>();
  #socket: WebSocket | null = null;
  #connects = 0;
  #sampling: NodeJS.Timeout | undefined;
  #isClosed = false;
  #shown: (() => void) | null = null;

  /** `urls`: of the processes that run now; a connection that ends is followed by one to the next. */
  constructor(serials: readonly string[], urls: () => readonly string[]) {
    this.#urls = urls;
    for (const serial of serials) this.#waiting.set(serial, []);
  }

  get assets(): ReadonlySet<string> {
    return new Set(this.#waiting.keys());
  }

  sent(serial: string, at: number): void {
    this.#waiting.get(serial)?.push(at);
  }

  /** Resolves with the first snapshot. */
  open(): Promise<void> {
    this.#sampling = setInterval(() => this.#sample(), SAMPLE_MS);
    const shown = new Promise<void>((resolve) => {
      this.#shown = resolve;
    });
    this.#connect();
    return shown;
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#sampling);
    this.#socket?.terminate();
  }

  /** Assets whose newest record is not shown. */
  get behind(): number {
    return [...this.#waiting.values()].filter((waiting) => waiting.length > 0).length;
  }

  #connect(): void {
    if (this.#isClosed) return;
    const urls = this.#urls();
    const url = urls[this.#connects++ % urls.length];
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/live`, [subprotocol]);
    this.#socket = socket;
    let seq = 0;
    let isOpen = false;
    let saidBye = false;
    socket.on('open', () => {
      isOpen = true;
      this.counts.connections += 1;
      socket.send(JSON.stringify({ t: 'hello', v: 1 }));
      const select = { ids: [...this.#waiting.keys()] };
      socket.send(JSON.stringify({ t: 'sub', id: 'a', select, fields: ['eventTime'] }));
    });
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as Frame;
      if (frame.t === 'bye') {
        saidBye = true;
        this.counts.byes += 1;
      } else if (frame.t === 'err') this.counts.errors[frame.code] = (this.counts.errors[frame.code] ?? 0) + 1;
      else if (frame.seq !== undefined || frame.t === 'gap') seq = this.#inOrder(frame, seq);
      this.#show(frame);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#isClosed) return;
      if (isOpen && !saidBye) this.silent.ended += 1;
      setTimeout(() => this.#connect(), RECONNECT_MS);
    });
  }

  #inOrder({ t, seq = 0, to = 0, why = '' }: Frame, before: number): number {
    if (t === 'gap') {
      this.counts.gaps[why] = (this.counts.gaps[why] ?? 0) + 1;
      return to;
    }
    if (seq !== before + 1) this.silent.passed += seq - before - 1;
    return seq;
  }

  #show(frame: Frame): void {
    if (frame.t === 'snap') {
      this.counts.snapshots += 1;
      for (const item of frame.items ?? []) this.#upTo(item, false);
      this.#shown?.();
      this.#shown = null;
    } else if (frame.t === 'd') {
      this.counts.deltas += 1;
      this.#upTo(frame, true);
    }
  }

  #upTo({ k, et }: Stamped, isDelta: boolean): void {
    const waiting = this.#waiting.get(k);
    if (waiting === undefined || et === null) return;
    const time = Date.parse(et);
    const now = Date.now();
    while (waiting.length > 0 && waiting[0] <= time) {
      const at = waiting.shift() as number;
      if (!this.isMeasuring || !isDelta) continue;
      this.latencies.push(now - at);
      this.halfSeconds.note(at, now - at);
    }
  }

  #sample(): void {
    if (!this.isMeasuring) return;
    const now = Date.now();
    for (const waiting of this.#waiting.values()) this.staleness.push(waiting.length === 0 ? 0 : now - waiting[0]);
  }
}
