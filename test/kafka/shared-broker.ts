/**
 * One broker for all suites of a run. The process that starts the tests holds it, and starts it when the first suite
 * asks: a run without a Kafka suite pays nothing.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { startBroker, type TestBroker } from './broker.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address that answers with the `bootstrap` of the shared broker. */
    sharedBroker: string;
  }
}

/** Called by vitest before the tests; what it answers is called after them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let broker: Promise<TestBroker> | undefined;
  const server = createServer((_request, response) => {
    broker ??= startBroker();
    broker.then(
      ({ bootstrap }) => response.end(bootstrap),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  project.provide('sharedBroker', `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);

  return async () => {
    server.close();
    server.closeAllConnections();
    const started = await broker?.catch(() => undefined);
    await started?.close();
  };
}
