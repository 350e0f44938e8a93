import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * Below the range from which systems take the ports of outgoing connections: otherwise a client that tries a stopped
 * broker again may be given the broker's own port, talk to itself, and keep the broker from coming back.
 */
const LOWEST = 20_000;
const HIGHEST = 32_000;
const ATTEMPTS = 100;

/** True when nothing listens on this port of 127.0.0.1. */
export async function isFree(port: number): Promise<boolean> {
  const held = await hold(port);
  if (held !== null) await release(held);
  return held !== null;
}

/** A port of 127.0.0.1 that is free now. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port;
}

/** So many ports of 127.0.0.1 that are free now, no two the same. Until somebody listens there another may take them. */
export async function freePorts(count: number): Promise<number[]> {
  const held = new Map<number, Server>();
  for (let attempt = 0; held.size < count && attempt < ATTEMPTS * count; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    const server = await hold(port);
    if (server !== null) held.set(port, server);
  }
  await Promise.all([...held.values()].map(release));
  if (held.size < count) throw new Error(`fewer than ${count} free ports found between ${LOWEST} and ${HIGHEST}`);
  return [...held.keys()];
}

function hold(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

async function release(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
