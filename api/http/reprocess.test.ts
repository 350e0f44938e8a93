import { afterEach, expect, it } from 'vitest';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { FakeEngine } from '../testing/fake-engine.ts';
import { testServer } from '../testing/server.ts';
import type { Server, ServerConfig } from '../server.ts';
import type { BeginSet, Reprocessor, SetView } from './reprocess.ts';

const view: SetView = {
  name: 'v2',
  input: 'log',
  from: null,
  since: null,
  begunAt: '2026-01-01T00:00:00.000Z',
  machines: ['powerwall@1'],
  status: 'following',
  folded: 3,
  total: 3,
  rows: 7,
  shown: false,
  error: null,
};
const refused = (code: string) => new GridfoldError(code, 'fix-configuration', `refused: ${code}`);

/** One set `v2` of the log and one `lake` of files. */
class FakeSets implements Reprocessor {
  readonly engine = new FakeEngine();
  begun: BeginSet | null = null;

  async list() {
    return [view];
  }
  async view(name: string) {
    if (name !== 'v2') throw refused('reprocess_unknown');
    return view;
  }
  async begin(options: BeginSet) {
    if (options.name === 'main') throw refused('reprocess_name_invalid');
    this.begun = options;
    return view;
  }
  async compare() {
    return [{ table: 'faults', common: 4, onlyLive: 1, onlyOther: 2, changed: 3 }];
  }
  async cutOver(_name: string, back: boolean) {
    return { ...view, shown: !back };
  }
  async drop() {
    throw refused('reprocess_shown');
  }
  engineOf(name: string) {
    if (name !== 'lake') throw refused('reprocess_reads_log');
    return this.engine;
  }
}

let server: Server;
let sets: FakeSets;
afterEach(() => server.close());

async function open(config: Partial<ServerConfig> = {}): Promise<void> {
  sets = new FakeSets();
  server = await testServer(config, { reprocess: sets });
}

async function ask(path: string, body?: unknown, headers: Record<string, string> = {}) {
  const post = {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  };
  const response = await fetch(`${server.url}/v1/reprocess${path}`, body === undefined ? { headers } : post);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

it('begins, shows and compares sets, and lets queries read one', async () => {
  await open();
  const begin = { name: 'v2', input: 'log', fromMs: 1_000 };
  expect(await ask('', begin)).toEqual({ status: 200, body: view });
  expect(sets.begun).toEqual(begin);
  expect((await ask('')).body).toEqual({ items: [view] });
  expect((await ask('/v2/compare', {})).body).toMatchObject({ tables: [{ table: 'faults', changed: 3 }] });
  expect((await ask('/v2/cut-over', { back: false })).body).toMatchObject({ shown: true });
  expect((await ask('/v2/cut-over', { back: true })).body).toMatchObject({ shown: false });
});

it('says why not, with the status that the refusal has', async () => {
  await open();
  const answers = [
    [await ask('/v9'), 404, 'reprocess_unknown'],
    [await ask('', { name: 'main', input: 'log', fromMs: null }), 400, 'reprocess_name_invalid'],
    [await ask('/v2/drop', {}), 409, 'reprocess_shown'],
    [await ask('/v2/telemetry', {}), 409, 'reprocess_reads_log'],
    [await ask('', { name: 'v2', input: 'tape', fromMs: null }), 400, 'invalid_request'],
    [await ask('', { name: 'v2', input: 'log', fromMs: -1 }), 400, 'invalid_request'],
    [await ask('/v2/cut-over', {}), 400, 'invalid_request'],
  ] as const;
  for (const [{ status, body }, wanted, code] of answers) expect([status, body.code]).toEqual([wanted, code]);
});

it('takes records into a set of files', async () => {
  await open();
  const { body } = await ask('/lake/telemetry', [{ serial: 'PW-1', fields: {} }, { no: 'serial' }]);
  expect(body).toMatchObject({ accepted: 1, refused: 1 });
});

it('asks everything for the token where one is set', async () => {
  await open({ authToken: 'secret' });
  expect((await ask('')).status).toBe(401);
  expect((await ask('/lake/telemetry', [])).status).toBe(401);
  expect((await ask('', undefined, { authorization: 'Bearer secret' })).status).toBe(200);
});
