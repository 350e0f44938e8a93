import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

/** A connection of kafkajs 2.2.4, as far as waiting for its answers goes. */
export interface WaitingConnection {
  readonly socket: Socket | undefined;
  readonly requestQueue: {
    readonly inflight: ReadonlyMap<number, { readonly sentAt: number }>;
    rejectAll(error: Error): void;
  };
  isConnected(): boolean;
  connect(): Promise<unknown>;
  send<T>(call: { request: { apiKey: number }; requestTimeout?: number }): Promise<T>;
  disconnect(): Promise<unknown>;
}

const ApiKey = { Metadata: 3, FindCoordinator: 10, ApiVersions: 18 } as const;
/** What a broker answers out of its memory: one that does not is gone or stands still, ms. */
const AT_ONCE_MS = 5_000;
const atOnce = new Set<number>(Object.values(ApiKey));
/** A call that is under way for so long casts doubt on its broker, ms; long polls are shorter. */
const DOUBTED_AFTER_MS = 1_500;

/**
 * Gives up a connection that does not answer within the time a request names (kafkajs waits 30 s in any case, and keeps
 * the connection), and ends one without waiting for what is under way on it: what a broker that stands still was asked is
 * repeated elsewhere at once. Of those who connect at once each would open a socket of its own: they share one.
 */
export function losePatience(connection: WaitingConnection): void {
  const { connect, send, disconnect } = connection;
  let connecting: Promise<unknown> | null = null;
  connection.connect = () => {
    const own = (connecting ??= connect.call(connection).finally(() => {
      if (connecting === own) connecting = null;
    }));
    return own;
  };
  connection.disconnect = () => {
    const reason = new KafkaJSConnectionError('The connection was given up');
    connection.requestQueue.rejectAll(reason);
    if (connection.isConnected()) forget(connection.socket);
    else if (connecting === null) return Promise.resolve();
    else connection.socket?.destroy(reason);
    connecting = null;
    return disconnect.call(connection);
  };
  connection.send = async <T>(call: { request: { apiKey: number }; requestTimeout?: number }) => {
    const withinMs = call.requestTimeout ?? (atOnce.has(call.request.apiKey) ? AT_ONCE_MS : null);
    const timer = withinMs === null ? undefined : setTimeout(() => void connection.disconnect(), withinMs);
    try {
      return (await send.call(connection, call)) as T;
    } catch (error) {
      if ((error as Error).name === 'KafkaJSRequestTimeoutError') void connection.disconnect();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
}

/** What happens to a socket that was given up is not taken for the end of the one that follows it. */
function forget(socket: Socket | undefined): void {
  socket?.removeAllListeners().on('error', () => {});
  socket?.destroy();
}

/** Whether something was asked on the connection and is not answered as soon as one would think. */
export function isDoubted({ requestQueue }: WaitingConnection, now = Date.now()): boolean {
  return [...requestQueue.inflight.values()].some(({ sentAt }) => now - sentAt > DOUBTED_AFTER_MS);
}

const { KafkaJSConnectionError } = createRequire(import.meta.url)('kafkajs/src/errors') as {
  KafkaJSConnectionError: new (message: string) => Error;
};
