import { once } from 'node:events';
import { WebSocket } from 'ws';

export type Frame = { t: string; id?: string } & Record<string, unknown>;

/** A live client for tests: frames are awaited in order, nothing is polled. */
export class LiveClient {
  readonly socket: WebSocket;
  readonly frames: Frame[] = [];
  readonly closed: Promise<number>;
  #read = 0;
  #wake: (() => void) | undefined;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => {
      this.frames.push(JSON.parse(String(data)) as Frame);
      this.#wake?.();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code) => {
        resolve(code);
        this.#wake?.();
      });
    });
  }

  static async connect(url: string, options: { origin?: string; headers?: Record<string, string> } = {}) {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/live`, ['assetlive.v1.json'], options);
    const client = new LiveClient(socket);
    await once(socket, 'open');
    return client;
  }

  /** Connects and exchanges hello. */
  static async greeted(url: string) {
    const client = await LiveClient.connect(url);
    client.send({ t: 'hello', v: 1 });
    await client.next('hello');
    return client;
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** The next frame; must be of type `t` where one is given. */
  async next(t?: string): Promise<Frame> {
    while (this.#read >= this.frames.length) {
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error('the socket is closed');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const frame = this.frames[this.#read++];
    if (t !== undefined && frame.t !== t) throw new Error(`expected ${t}, got ${JSON.stringify(frame)}`);
    return frame;
  }

  close(): void {
    this.socket.terminate();
  }
}

/** Applies an RFC 7396 merge patch, as the RFC writes it down. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const isObject = target !== null && typeof target === 'object' && !Array.isArray(target);
  const result: Record<string, unknown> = Object.assign(Object.create(null), isObject ? target : undefined);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = applyMergePatch(result[name], value);
  }
  return result;
}

/** What a careful client holds of one subscription; throws when a frame breaks a promise of the protocol. */
export class Replica {
  readonly held = new Map<string, { rev: number; document: unknown }>();
  seq = 0;
  gaps = 0;

  apply(frame: Frame): void {
    if (frame.t === 'snap') {
      for (const item of frame.items as { k: string; rev: number; v: unknown }[]) {
        this.held.set(item.k, { rev: item.rev, document: item.v });
      }
    } else if (frame.t === 'gap') {
      if (frame.from !== this.seq + 1) throw new Error(`gap from ${frame.from} after ${this.seq}`);
      this.seq = frame.to as number;
      this.gaps += 1;
      this.held.clear();
    } else if (frame.t === 'd') {
      this.#delta(frame);
    }
  }

  #delta(frame: Frame): void {
    if (frame.seq !== this.seq + 1) throw new Error(`seq ${frame.seq} after ${this.seq}`);
    this.seq = frame.seq as number;
    const key = frame.k as string;
    const mine = this.held.get(key);
    if (frame.op === 'leave') {
      if (mine?.rev !== frame.base) throw new Error(`leave of ${key} with base ${frame.base}, mine ${mine?.rev}`);
      this.held.delete(key);
      return;
    }
    if (frame.op === 'merge' && mine?.rev !== frame.base) throw new Error(`base ${frame.base}, mine ${mine?.rev}`);
    if (frame.op !== 'merge' && mine !== undefined) throw new Error(`${frame.op} of ${key}, which is held`);
    const document = frame.op === 'merge' ? applyMergePatch(mine?.document, frame.v) : frame.v;
    this.held.set(key, { rev: frame.rev as number, document });
  }
}
