import type { Loss, Opening, Part, Turn } from './part.ts';
import type { ServerFrame } from './protocol.ts';
import type { Tally } from './tally.ts';

/** What a remote part needs of the connection that brings its frames. */
export interface Carrier {
  readonly url: string;
  /** `bytes` of frames were passed on: there is room for as much again. */
  consumed(bytes: number): void;
  drop(part: RemotePart): void;
}

interface Arrived {
  readonly frame: ServerFrame;
  readonly bytes: number;
}

/** Frames that another process sends, as the schema of the live door describes them. */
type Item = { readonly k: string };
type Delta = { readonly k: string; readonly op: 'merge' | 'put' | 'enter' | 'leave' };

/**
 * The part of a subscription that is at work in another process: its frames arrive as that process made them, and get
 * the numbers of this subscription when there is room to pass them on.
 */
export class RemotePart implements Part {
  readonly at: string;
  readonly partitions: readonly number[];
  readonly opening: Opening;
  readonly #tally: Tally;
  readonly #carrier: Carrier;
  readonly #held = new Set<string>();
  #arrived: Arrived[] = [];
  #isComplete: boolean;
  #isShown: boolean;
  #loss: Loss | null = null;

  constructor(opening: Opening, carrier: Carrier) {
    this.at = carrier.url;
    this.partitions = opening.partitions;
    this.opening = opening;
    this.#tally = opening.tally;
    this.#carrier = carrier;
    this.#isComplete = !opening.snapshot;
    this.#isShown = !opening.snapshot;
  }

  get hasWork(): boolean {
    return this.#arrived.length > 0;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  get isShown(): boolean {
    return this.#isShown;
  }

  get loss(): Loss | null {
    return this.#loss;
  }

  /** A frame came for it; `bytes` is its length on the wire. */
  take(frame: ServerFrame, bytes: number): void {
    if (frame.t === 'gap') this.lose(frame.why as Loss['why'], Number(frame.to) - Number(frame.from) + 1);
    else if (frame.t === 'err' && frame.code !== 'member_limit') this.lose('rebalance', 0);
    if (this.#loss === null && frame.t !== 'sub') this.#arrived.push({ frame, bytes });
    else this.#carrier.consumed(bytes);
  }

  /** It cannot go on. */
  lose(why: Loss['why'], updates: number): void {
    this.#loss ??= { why, updates };
  }

  produce(limit: number): Turn {
    this.#isShown = true;
    const frames: ServerFrame[] = [];
    let bytes = 0;
    let taken = 0;
    for (; taken < this.#arrived.length && frames.length < limit; taken++) {
      const one = this.#arrived[taken];
      bytes += one.bytes;
      const frame = this.#pass(one.frame);
      if (frame !== undefined) frames.push(frame);
    }
    this.#arrived = this.#arrived.slice(taken);
    this.#carrier.consumed(bytes);
    return { frames, oldest: null };
  }

  end(): number {
    this.#carrier.drop(this);
    this.#tally.forget(this.#held.size);
    this.#held.clear();
    const arrived = this.#arrived;
    this.#arrived = [];
    this.#carrier.consumed(arrived.reduce((sum, { bytes }) => sum + bytes, 0));
    return arrived.reduce((sum, { frame }) => sum + (frame.t === 'd' ? Number(frame.n ?? 1) : 0), 0);
  }

  #pass(frame: ServerFrame): ServerFrame | undefined {
    if (frame.t === 'snap') return this.#snapshot(frame);
    if (frame.t === 'd') return this.#delta(frame);
    return this.#tally.tellLimit();
  }

  #snapshot(frame: ServerFrame): ServerFrame {
    const items = (frame.items as readonly Item[]).filter(({ k }) => this.#admit(k));
    if (items.length < (frame.items as readonly Item[]).length || frame.truncated === true) this.#tally.truncate();
    if (frame.last === true) this.#isComplete = true;
    return { t: 'snap', id: this.#tally.id, last: frame.last, items };
  }

  /** An asset that found no room is not held, so that nothing more is told of it. */
  #delta(frame: ServerFrame): ServerFrame | undefined {
    const { k, op } = frame as unknown as Delta;
    if (op === 'leave') {
      if (!this.#held.delete(k)) return undefined;
      this.#tally.forget(1);
    } else if (op === 'merge') {
      if (!this.#held.has(k)) return undefined;
    } else if (!this.#admit(k)) {
      return this.#tally.tellLimit();
    }
    return { ...frame, id: this.#tally.id, seq: this.#tally.next() };
  }

  #admit(serial: string): boolean {
    if (!this.#held.has(serial) && !this.#tally.admit()) return false;
    this.#held.add(serial);
    return true;
  }
}
