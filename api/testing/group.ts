import type { ServerOptions } from '../server.ts';
import { FakeEngine, FakeGroup } from './fake-engine.ts';
import { serverOver, type testServer } from './server.ts';

/** Servers over engines of one group; each knows the others by their URL. */
export interface TestGroup {
  readonly group: FakeGroup;
  readonly servers: readonly Awaited<ReturnType<typeof testServer>>[];
  /** Who has which partition, by index of the server; null: it moves. */
  give(...owners: (number | null)[]): void;
  close(): Promise<void>;
}

/** As many servers as are named by `owners`: for each partition the index of the server that has it. */
export async function testGroup(
  owners: readonly (number | null)[],
  config: Partial<ServerOptions['config']> = {},
  more: Partial<Omit<ServerOptions, 'engine'>> = {},
): Promise<TestGroup> {
  const group = new FakeGroup(...owners.map(() => null));
  const count = Math.max(...owners.map((owner) => owner ?? 0)) + 1;
  const servers: Awaited<ReturnType<typeof testServer>>[] = [];
  for (let i = 0; i < count; i++) {
    const engine = new FakeEngine(group);
    const server = await serverOver(engine, config, more);
    engine.self = { url: server.url, version: '1' };
    servers.push(server);
  }
  const give = (...next: (number | null)[]) => {
    next.forEach((owner, partition) => {
      group.owners[partition] = owner === null ? null : servers[owner].url;
    });
  };
  give(...owners);
  return {
    group,
    servers,
    give,
    close: async () => void (await Promise.all(servers.map((server) => server.close()))),
  };
}
