import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { Answers } from './answers.ts';

const KEEP_ALIVE_AFTER_MS = 60_000;
const READ_BYTES = 256 * 1024;

/** A connection of kafkajs 2.2.4, as far as reading its answers goes. */
export interface ReadingConnection {
  readonly socket: Socket;
  /** Set while it authenticates. */
  readonly authHandlers: object | null;
  readonly requestQueue: {
    fulfillRequest(answer: { size: number; correlationId: number; payload: Buffer }): void;
  };
  processData(chunk: Buffer): void;
}

interface Destination {
  readonly host: string;
  readonly port: number;
  readonly ssl: ConnectionOptions | undefined;
  readonly onConnect: () => void;
}

/**
 * Opens a socket as kafkajs does. Without TLS its data events share one buffer, so that what is read costs no memory
 * outside the heap for each chunk: V8 would mark the whole heap for every few MB of it. Only for connections that
 * {@link readAnswers} reads.
 */
export function openSocket({ host, port, ssl, onConnect }: Destination): Socket {
  const socket = ssl
    ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
    : openPlain(host, port, onConnect);
  return socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS);
}

function openPlain(host: string, port: number, onConnect: () => void): Socket {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const callback = (bytes: number) => {
    socket.emit('data', buffer.subarray(0, bytes));
    return true;
  };
  const socket = connect({ host, port, onread: { buffer, callback } }, onConnect);
  return socket;
}

/** Lets the connection read by {@link Answers}: kafkajs copies an answer from chunks that were allocated each. */
export function readAnswers(connection: ReadingConnection): void {
  const original = connection.processData;
  let answers: Answers;
  let read: Socket | null = null;
  const deliver = (answer: Buffer) => {
    if (connection.authHandlers !== null) return original.call(connection, answer);
    const [size, correlationId] = [answer.length - 4, answer.readInt32BE(4)];
    connection.requestQueue.fulfillRequest({ size, correlationId, payload: answer.subarray(8) });
  };
  connection.processData = (chunk) => {
    const { socket } = connection;
    // After an answer that was cut off the next socket begins anew.
    if (socket !== read) answers = new Answers(deliver);
    read = socket;
    try {
      answers.push(chunk);
    } catch (error) {
      socket.destroy(error as Error);
    }
  };
}
