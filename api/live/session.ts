import { randomUUID } from 'node:crypto';
import type { RawData, WebSocket } from 'ws';
import type { Clock } from '../../runtime/kernel/clock.ts';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { Engine } from '../../runtime/system/engine.ts';
import type { LiveMetrics } from '../../runtime/system/metrics.ts';
import type { Placement } from '../members/placement.ts';
import { parseClientFrame } from './client-frame.ts';
import type { Hub } from './hub.ts';
import type { Wanted } from './part.ts';
import {
  type ClientFrame,
  closeCodes,
  type HelloFrame,
  type LiveLimits,
  type ServerFrame,
  type SubFrame,
} from './protocol.ts';
import { Subscription } from './subscription.ts';
import type { Budget } from './tally.ts';
import { Upstreams } from './upstreams.ts';
import { wantedOf } from './wanted.ts';

export interface SessionParts {
  readonly engine: Engine;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly metrics: LiveMetrics;
  readonly limits: LiveLimits;
  /** For the other processes of the group. */
  readonly authToken?: string;
  /** Where the partitions are now. */
  readonly placement: () => Placement;
  readonly accepts: (token: string | undefined) => boolean;
}

const badFramesBeforeClose = 10;
const framesPerTurn = 64;
/** Another process may begin all subscriptions of a client anew, for each partition that comes. */
const localFramesFactor = 20;
/** When a subscription of partitions that are not here may be tried again. */
const movingRetryMs = 250;
/** After a close frame, so long until the socket is destroyed: a stalled peer never answers it. */
const closeGraceMs = 1_000;

/** One connection: its frames in, its subscriptions, and what goes out while there is room. */
export class Session {
  readonly #socket: WebSocket;
  readonly #parts: SessionParts;
  readonly #budget: Budget;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #upstreams: Upstreams;
  #isLocal = false;
  #greeted = false;
  #closing = false;
  #badFrames = 0;
  #frames = 0;
  #framesSince: number;
  #openedAt: number;
  #heardAt: number;
  #pingedAt: number;
  #pings = 0;
  #queuedBytes = 0;
  #drainedBytes = 0;
  #progressAt: number;

  constructor(socket: WebSocket, parts: SessionParts) {
    const now = parts.clock.now();
    this.#socket = socket;
    this.#parts = parts;
    this.#budget = { keys: parts.limits.keys, queueKeys: parts.limits.queueKeys, members: 0, pending: 0 };
    const { authToken, limits } = parts;
    const silenceMs = 2 * limits.heartbeatMs + limits.blockedMs;
    this.#upstreams = new Upstreams(parts.clock, { authToken, queueBytes: limits.queueBytes, silenceMs });
    this.#openedAt = this.#heardAt = this.#pingedAt = this.#progressAt = this.#framesSince = now;
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('pong', () => {
      this.#heardAt = parts.clock.now();
    });
    // A broken frame or a reset: `close` follows.
    socket.on('error', () => {});
  }

  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  /** Whether it serves the subscriptions of a session in another process, and only what is here. */
  get isLocal(): boolean {
    return this.#isLocal;
  }

  /** Ends all subscriptions; the socket is gone. */
  end(): void {
    this.#closing = true;
    for (const subscription of this.#subscriptions.values()) subscription.end();
    this.#subscriptions.clear();
    this.#upstreams.end();
  }

  /** Says goodbye and closes with 1012. */
  drain(): void {
    this.#send({ t: 'bye', code: 'drain', reconnectMs: 2_000 });
    this.#close('restart');
  }

  /** Called on every flush: time limits, heartbeat, then as many frames as there is room for. */
  tick(placement: Placement): void {
    if (this.#closing) return;
    const { clock, limits } = this.#parts;
    const now = clock.now();
    if (!this.#greeted) {
      if (now - this.#openedAt >= limits.helloTimeoutMs) this.#close('timeout');
      return;
    }
    if (this.#isBlocked(now)) {
      this.#close('tooSlow');
      return;
    }
    if (now - this.#heardAt > 2 * limits.heartbeatMs + limits.blockedMs) {
      this.#close('timeout');
      return;
    }
    if (now - this.#pingedAt >= limits.heartbeatMs) {
      this.#pingedAt = now;
      this.#socket.ping();
      this.#send({ t: 'ping', n: ++this.#pings });
    }
    this.#follow(placement);
    this.#upstreams.tick(now);
    this.#pump(now);
  }

  /** Subscriptions go where their partitions are; those for another process end when a partition leaves. */
  #follow(placement: Placement): void {
    for (const [id, subscription] of this.#subscriptions) {
      if (!this.#isLocal || isAllHere(subscription.wanted.partitions, placement)) {
        subscription.follow(placement);
        continue;
      }
      subscription.end();
      this.#subscriptions.delete(id);
      this.#sendMoving(id);
    }
  }

  /** True when bytes wait and none has left for longer than the limit. */
  #isBlocked(now: number): boolean {
    const waiting = this.#socket.bufferedAmount;
    const drained = this.#queuedBytes - waiting;
    if (waiting === 0 || drained > this.#drainedBytes) {
      this.#drainedBytes = drained;
      this.#progressAt = now;
    }
    return now - this.#progressAt > this.#parts.limits.blockedMs;
  }

  #pump(now: number): void {
    const { limits, metrics } = this.#parts;
    let sent = 0;
    let deltas = 0;
    let oldest: number | null = null;
    const hasRoom = () => sent < limits.queueMsgs && this.#socket.bufferedAmount < limits.queueBytes;
    for (let idle = false; !idle && hasRoom(); ) {
      idle = true;
      for (const subscription of this.#subscriptions.values()) {
        if (!subscription.hasWork || !hasRoom()) continue;
        idle = false;
        const turn = subscription.produce(framesPerTurn);
        for (const frame of turn.frames) {
          this.#send(frame);
          if (frame.t === 'd') deltas += 1;
          else if (frame.t === 'gap') metrics.gap(String(frame.why));
        }
        sent += Math.max(1, turn.frames.length);
        if (turn.oldest !== null) oldest = Math.min(oldest ?? turn.oldest, turn.oldest);
      }
    }
    if (deltas > 0) metrics.deltas(deltas);
    if (oldest !== null) metrics.deliveryDelay((now - oldest) / 1000);
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#closing) return;
    const now = this.#parts.clock.now();
    this.#heardAt = now;
    if (now - this.#framesSince >= 1_000) {
      this.#framesSince = now;
      this.#frames = 0;
    }
    const most = this.#parts.limits.framesPerSecond * (this.#isLocal ? localFramesFactor : 1);
    if (++this.#frames > most) {
      this.#close('tooMany');
      return;
    }
    if (isBinary) {
      this.#close('badFrame');
      return;
    }
    const parsed = parseClientFrame(String(data));
    if (parsed === null) this.#close('badFrame');
    else if ('frame' in parsed) this.#handle(parsed.frame);
    else this.#badFrame(parsed.fault, parsed.about);
  }

  #badFrame(msg: string, about: { readonly id?: string }): void {
    if (!this.#greeted || ++this.#badFrames > badFramesBeforeClose) this.#close('badFrame');
    else this.#send({ t: 'err', ...about, code: 'bad_frame', msg });
  }

  #handle(frame: ClientFrame): void {
    if (frame.t === 'hello') {
      this.#hello(frame);
      return;
    }
    if (!this.#greeted) {
      this.#close('unauthorized');
      return;
    }
    switch (frame.t) {
      case 'sub':
        this.#subscribe(frame);
        return;
      case 'unsub':
        this.#unsubscribe(frame.id);
        return;
      case 'ping':
        this.#send({ t: 'pong', ...(frame.n === undefined ? undefined : { n: frame.n }) });
        return;
    }
  }

  #hello({ auth, caps }: HelloFrame): void {
    if (this.#greeted) {
      this.#close('tooMany');
      return;
    }
    if (!this.#parts.accepts(auth)) {
      this.#close('unauthorized');
      return;
    }
    this.#greeted = true;
    this.#isLocal = caps?.includes('local') ?? false;
    const { subs, keys, queueKeys, queueMsgs, frameBytes, heartbeatMs } = this.#parts.limits;
    this.#send({
      t: 'hello',
      v: 1,
      session: randomUUID(),
      hb: heartbeatMs,
      limits: { subs, keys, queueKeys, queueMsgs, frameBytes },
    });
  }

  #subscribe(frame: SubFrame): void {
    const { id } = frame;
    if (this.#subscriptions.has(id)) {
      this.#close('duplicateSubscription');
      return;
    }
    // A client's subscription may be in several parts at another process.
    const most = this.#parts.limits.subs * (this.#isLocal ? this.#parts.engine.partitions : 1);
    if (this.#subscriptions.size >= most) {
      this.#send({ t: 'err', id, code: 'too_many_subscriptions', msg: `at most ${most}` });
      return;
    }
    const { keys, members } = this.#budget;
    if (frame.select.ids !== undefined && new Set(frame.select.ids).size > keys - members) {
      this.#send({ t: 'err', id, code: 'too_many_keys', msg: `a connection holds at most ${keys} assets` });
      return;
    }
    try {
      const named = this.#isLocal ? frame.partitions : undefined;
      const { partitions } = this.#parts.engine;
      this.#begin(wantedOf(frame, { partitions, maxKeys: keys, named }), frame.snapshot ?? true);
    } catch (error) {
      if (!(error instanceof GridfoldError)) throw error;
      this.#send({ t: 'err', id, code: error.code, msg: error.message });
    }
  }

  #begin(wanted: Wanted, snapshot: boolean): void {
    const { id, partitions } = wanted;
    const placement = this.#parts.placement();
    if (this.#isLocal && !isAllHere(partitions, placement)) {
      this.#sendMoving(id);
      return;
    }
    const subscription = new Subscription(wanted, snapshot, this.#budget, {
      open: (at, opening) => (at === '' ? this.#parts.hub.open(opening) : this.#upstreams.open(at, opening)),
    });
    this.#subscriptions.set(id, subscription);
    subscription.follow(placement);
    this.#send({ t: 'sub', id, cut: this.#cut() });
  }

  #unsubscribe(id: string): void {
    const subscription = this.#subscriptions.get(id);
    if (subscription === undefined) {
      this.#send({ t: 'err', id, code: 'unknown_subscription', msg: 'there is no such subscription' });
      return;
    }
    this.#subscriptions.delete(id);
    subscription.end();
    this.#send({ t: 'unsub', id });
  }

  #sendMoving(id: string): void {
    const msg = 'not all of the partitions are at work here';
    this.#send({ t: 'err', id, code: 'partition_moving', msg, retryMs: movingRetryMs });
  }

  #cut() {
    const { partitions } = this.#parts.engine.status();
    const cut = (topic: 'telemetry' | 'lifecycle') =>
      Object.fromEntries(partitions.map((one) => [one.partition, one.position[topic]]));
    return { telemetry: cut('telemetry'), lifecycle: cut('lifecycle') };
  }

  #send(frame: ServerFrame): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const text = JSON.stringify(frame);
    this.#socket.send(text);
    this.#queuedBytes += Buffer.byteLength(text);
  }

  #close(reason: keyof typeof closeCodes): void {
    if (this.#closing) return;
    this.end();
    this.#socket.close(closeCodes[reason].code, closeCodes[reason].doc);
    this.#parts.clock.after(closeGraceMs, () => this.#socket.terminate());
  }
}

function isAllHere(partitions: readonly number[], { at }: Placement): boolean {
  return partitions.every((partition) => at[partition] === '');
}
