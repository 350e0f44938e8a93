import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { freePort, freePorts, isFree } from './ports.ts';

it('ports that are found together are all different', async () => {
  const ports = await freePorts(200);
  expect(new Set(ports).size).toBe(200);
  expect(await Promise.all(ports.map(isFree))).not.toContain(false);
});

it('a port on which somebody listens is not free', async () => {
  const port = await freePort();
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  expect(await isFree(port)).toBe(false);
  server.close();
});
