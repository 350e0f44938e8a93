import { askForToken, token } from './api.js';

/**
 * The live socket: one connection, many subscriptions, opened again whenever it is lost. What a subscription holds is
 * kept here as whole documents; views are told which keys changed, at most once per animation frame.
 */
export class Live {
  #socket;
  #subscriptions = new Map();
  #nextId = 1;
  #retryMs = 1_000;
  #retry;
  #watch;
  #onState;

  constructor(onState) {
    this.#onState = onState;
    addEventListener('online', () => this.#reconnectNow());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.#reconnectNow();
    });
    this.#connect();
  }

  /**
   * `select` is `{ids}` or `{filter}`. `changed(keys, items)` gets the keys that changed (null: everything did) and the
   * map of items `{rev, v, et}`. Returns the function that ends the subscription.
   */
  subscribe(select, fields, changed) {
    const subscription = {
      id: `s${this.#nextId++}`,
      select,
      fields,
      changed,
      items: new Map(),
      dirty: new Set(),
      frame: 0,
    };
    this.#subscriptions.set(subscription.id, subscription);
    if (this.#isOpen()) this.#sendSubscription(subscription);
    return () => {
      this.#subscriptions.delete(subscription.id);
      cancelAnimationFrame(subscription.frame);
      if (this.#isOpen()) this.#send({ t: 'unsub', id: subscription.id });
    };
  }

  #isOpen() {
    return this.#socket?.greeted === true && this.#socket.readyState === WebSocket.OPEN;
  }

  #connect() {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#onState('connecting');
    const url = new URL('/v1/live', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url, 'assetlive.v1.json');
    this.#socket = socket;
    socket.addEventListener('open', () => this.#send({ t: 'hello', v: 1, ...(token() ? { auth: token() } : {}) }));
    socket.addEventListener('message', ({ data }) => this.#receive(socket, JSON.parse(data)));
    socket.addEventListener('close', ({ code }) => {
      if (socket === this.#socket) void this.#lost(code);
    });
  }

  async #lost(code) {
    clearTimeout(this.#watch);
    this.#onState('offline');
    if (code === 4401) await askForToken();
    this.#retry = setTimeout(() => this.#connect(), this.#retryMs * (0.8 + Math.random() * 0.4));
    this.#retryMs = Math.min(this.#retryMs * 2, 15_000);
  }

  #reconnectNow() {
    if (this.#retry !== undefined) this.#connect();
  }

  #receive(socket, frame) {
    this.#expectMore(socket);
    if (frame.t === 'hello') {
      socket.greeted = true;
      socket.heartbeatMs = frame.hb;
      this.#retryMs = 1_000;
      this.#onState('live');
      for (const subscription of this.#subscriptions.values()) this.#sendSubscription(subscription);
    } else if (frame.t === 'ping') {
      this.#send({ t: 'pong', n: frame.n });
    } else if (frame.t === 'bye' && frame.reconnectMs) {
      this.#retryMs = frame.reconnectMs;
    } else if (frame.id !== undefined && this.#subscriptions.has(frame.id)) {
      this.#apply(this.#subscriptions.get(frame.id), frame);
    }
  }

  /** Two heartbeats without a frame: the connection is dead, even if nobody said so. */
  #expectMore(socket) {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => socket.close(), 2 * (socket.heartbeatMs ?? 15_000) + 5_000);
  }

  #apply(subscription, frame) {
    const { items } = subscription;
    if (frame.t === 'snap') {
      for (const { k, rev, et, v } of frame.items) items.set(k, { rev, et, v });
      this.#changed(subscription, ...frame.items.map((item) => item.k));
      if (frame.last && frame.items.length === 0) this.#changed(subscription, null);
    } else if (frame.t === 'gap') {
      items.clear();
      this.#changed(subscription, null);
    } else if (frame.t === 'd') {
      const held = items.get(frame.k);
      if (frame.op === 'leave') items.delete(frame.k);
      else if (frame.op !== 'merge') items.set(frame.k, { rev: frame.rev, et: frame.et, v: frame.v });
      else if (held?.rev === frame.base)
        items.set(frame.k, { rev: frame.rev, et: frame.et, v: merge(held.v, frame.v) });
      else return this.#again(subscription);
      this.#changed(subscription, frame.k);
    }
  }

  /** What we hold and what the server means differ: begin again. */
  #again(subscription) {
    this.#send({ t: 'unsub', id: subscription.id });
    this.#subscriptions.delete(subscription.id);
    subscription.id = `s${this.#nextId++}`;
    this.#subscriptions.set(subscription.id, subscription);
    this.#sendSubscription(subscription);
  }

  #changed(subscription, ...keys) {
    for (const key of keys) subscription.dirty.add(key);
    if (subscription.frame !== 0) return;
    subscription.frame = requestAnimationFrame(() => {
      subscription.frame = 0;
      const dirty = subscription.dirty.has(null) ? null : [...subscription.dirty];
      subscription.dirty.clear();
      subscription.changed(dirty, subscription.items);
    });
  }

  #sendSubscription({ id, select, fields, items }) {
    items.clear();
    this.#send({ t: 'sub', id, select, ...(fields ? { fields } : {}) });
  }

  #send(frame) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }
}

/** RFC 7396. Results have no prototype, since names come from devices. */
function merge(target, patch) {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const isObject = target !== null && typeof target === 'object' && !Array.isArray(target);
  const result = Object.create(null);
  for (const [name, value] of Object.entries(isObject ? target : {})) result[name] = value;
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merge(result[name], value);
  }
  return result;
}
