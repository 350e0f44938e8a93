import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Engine } from '../../runtime/system/engine.ts';
import type { App } from '../app-contract.ts';

export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

/** Answer to a request: status and JSON body; undefined means the default of the fake. */
export type FakeDoor = (request: FakeRequest) => { status: number; body: unknown } | undefined;

export interface FakeInstance {
  readonly url: string;
  readonly requests: FakeRequest[];
  /** Consulted before the defaults. */
  door: FakeDoor;
  close(): Promise<void>;
}

/** An instance as commands see it: doors that accept everything, and remember what they were asked. */
export async function fakeInstance(): Promise<FakeInstance> {
  const requests: FakeRequest[] = [];
  const server = createServer((request, response) => {
    void answer(request, response);
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const seen: FakeRequest = {
      method: request.method ?? '',
      path: request.url ?? '',
      authorization: request.headers.authorization,
      type: request.headers['content-type'],
      body: Buffer.concat(chunks).toString('latin1'),
    };
    requests.push(seen);
    const { status, body } = fake.door(seen) ?? standard(seen);
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    response.writeHead(status, { 'content-type': type });
    response.end(JSON.stringify(body));
  };
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const fake: FakeInstance = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    door: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return fake;
}

function standard({ path, body }: FakeRequest): { status: number; body: unknown } {
  if (path === '/v1/telemetry' || path === '/v1/lifecycle') {
    const accepted = body.split('\n').filter((line) => line !== '').length;
    return { status: 200, body: { accepted, refused: 0, errors: [], errorsTruncated: false, positions: [] } };
  }
  if (path.startsWith('/v1/settle')) return { status: 200, body: { settled: true } };
  if (path === '/healthz') return { status: 200, body: { status: 'ok' } };
  return {
    status: 404,
    body: { title: 'Not found', status: 404, code: 'not_found', detail: 'There is nothing here.' },
  };
}

/** An app whose doors are those of `instance`; closing it is counted and takes as long as `closing` does. */
export function fakeApp(instance: FakeInstance, closing: Promise<void> = Promise.resolve()): App & { closes: number } {
  return {
    url: instance.url,
    engine: {} as Engine,
    live: Promise.resolve(),
    failed: new Promise(() => {}),
    closes: 0,
    close() {
      this.closes += 1;
      return closing;
    },
  };
}
