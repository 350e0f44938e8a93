import { WebSocket } from 'ws';
import { FORWARDED } from '../members/peers.ts';
import { idsIn, type Opening } from './part.ts';
import { type ServerFrame, subprotocol } from './protocol.ts';
import { RemotePart } from './remote-part.ts';

export interface UpstreamOptions {
  readonly authToken?: string;
  /** Frames may wait here for the client up to so many bytes; then nothing more is read. */
  readonly queueBytes: number;
  /** A process that says nothing for so long is given up. */
  readonly silenceMs: number;
}

export interface UpstreamEvents {
  /** A part has begun. */
  confirmed(): void;
  /** A part was not taken, or came to its end. */
  refused(): void;
  /** The connection is gone. */
  lost(): void;
}

const maxFrameBytes = 16 * 1024 * 1024;
const handshakeMs = 5_000;

/**
 * The connection of one session to one other process, for the parts that are at work there. While the client takes
 * nothing it is not read, so that updates are conflated where they are made.
 */
export class Upstream {
  readonly url: string;
  readonly #socket: WebSocket;
  readonly #options: UpstreamOptions;
  readonly #parts = new Map<string, RemotePart>();
  readonly #names = new Map<RemotePart, string>();
  #opened = 0;
  #isGreeted = false;
  #waitingBytes = 0;
  #isHeard = false;
  #heardAt: number;

  constructor(url: string, now: number, options: UpstreamOptions, events: UpstreamEvents) {
    this.url = url;
    this.#options = options;
    this.#heardAt = now;
    const address = new URL('/v1/live', url);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    this.#socket = new WebSocket(address, [subprotocol], {
      maxPayload: maxFrameBytes,
      perMessageDeflate: false,
      handshakeTimeout: handshakeMs,
      headers: { [FORWARDED]: '1' },
    });
    this.#socket.on('open', () => {
      const auth = options.authToken === undefined ? undefined : { auth: options.authToken };
      this.#send({ t: 'hello', v: 1, caps: ['local'], ...auth });
    });
    this.#socket.on('message', (data) => this.#receive(String(data), events));
    // A refused or broken connection: `close` follows.
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      for (const part of this.#parts.values()) part.lose('rebalance', 0);
      events.lost();
    });
  }

  get isIdle(): boolean {
    return this.#parts.size === 0;
  }

  open(opening: Opening): RemotePart {
    const part = new RemotePart(opening, this);
    const name = String(++this.#opened);
    this.#parts.set(name, part);
    this.#names.set(part, name);
    if (this.#isGreeted) this.#subscribe(name, opening);
    return part;
  }

  drop(part: RemotePart): void {
    const name = this.#names.get(part);
    if (name === undefined) return;
    this.#names.delete(part);
    this.#parts.delete(name);
    if (this.#isGreeted && part.loss === null) this.#send({ t: 'unsub', id: name });
  }

  consumed(bytes: number): void {
    this.#waitingBytes -= bytes;
    if (this.#socket.isPaused && this.#waitingBytes < this.#options.queueBytes / 2) this.#socket.resume();
  }

  /** Gives up a process that has said nothing for too long, though it was listened to. */
  tick(now: number): void {
    if (this.#isHeard || this.#socket.isPaused) this.#heardAt = now;
    this.#isHeard = false;
    if (now - this.#heardAt > this.#options.silenceMs) this.#socket.terminate();
  }

  end(): void {
    this.#socket.resume();
    this.#socket.close();
  }

  #receive(text: string, events: UpstreamEvents): void {
    this.#isHeard = true;
    const frame = parse(text);
    if (frame === null) {
      this.#socket.terminate();
      return;
    }
    if (frame.t === 'hello') {
      this.#isGreeted = true;
      for (const [name, { opening }] of this.#parts) this.#subscribe(name, opening);
      return;
    }
    if (frame.t === 'sub') events.confirmed();
    else if (frame.t === 'err' && frame.code !== 'member_limit') events.refused();
    const part = this.#parts.get(String(frame.id));
    if (part === undefined) return;
    this.#waitingBytes += text.length;
    part.take(frame, text.length);
    if (this.#waitingBytes > this.#options.queueBytes) this.#socket.pause();
  }

  #subscribe(id: string, { wanted, partitions, snapshot }: Opening): void {
    const { selection, fields, limit } = wanted;
    const select = 'filter' in selection ? { filter: selection.text } : { ids: idsIn(selection, partitions) };
    this.#send({
      t: 'sub',
      id,
      select,
      ...(fields === undefined ? undefined : { fields }),
      snapshot,
      limit,
      partitions,
    });
  }

  #send(frame: object): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(frame));
  }
}

function parse(text: string): ServerFrame | null {
  try {
    return JSON.parse(text) as ServerFrame;
  } catch {
    return null;
  }
}
