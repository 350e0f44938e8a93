import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GridfoldError } from '../runtime/kernel/errors.ts';
import type { OpenApp } from './app-contract.ts';
import { announce, findInstance, type Instance } from './instance.ts';
import { commands, main } from './main.ts';
import { type FakeInstance, fakeApp, fakeInstance } from './testing/fake-instance.ts';
import { type FakeIo, fakeIo } from './testing/fake-io.ts';

const neverOpened: OpenApp = async () => {
  throw new Error('must not be opened');
};

let folder: string;
let dataDir: string;
let instance: FakeInstance;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gridfold-cli-'));
  dataDir = join(folder, 'data');
  instance = await fakeInstance();
});
afterEach(async () => {
  await instance.close();
  rmSync(folder, { recursive: true, force: true });
});

const written = (text: string, name = 'in.ndjson'): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const here = (): Instance => ({
  url: instance.url,
  pid: process.pid,
  startedAt: '2026-01-01T00:00:00Z',
  token: 'local',
});

/** Calls the command line; exit code and what it wrote. */
async function call(
  args: string[],
  { io = fakeIo(), openApp = neverOpened }: { io?: FakeIo; openApp?: OpenApp } = {},
): Promise<{ code: number; out: string; err: string }> {
  const code = await main(args, io, openApp);
  return { code, out: io.out(), err: io.err() };
}

describe('help', () => {
  it.each(commands.map((command) => command.name))('%s has one, with examples that can be parsed', async (name) => {
    const { code, out } = await call([name, '--help']);
    expect(code).toBe(0);
    expect(out).toContain(`gridfold ${name}`);
    const { examples } = commands.find((command) => command.name === name)!;
    expect(examples.length).toBeGreaterThan(0);
    for (const { line } of examples) expect(line).toContain(`gridfold ${name}`);
    expect(out.split('\n').every((line) => line.length <= 104 || line.includes('gridfold '))).toBe(true);
    expect((await call(['help', name])).out).toBe(out);
  });

  it('lists the commands, on stderr with exit code 2 when none is named', async () => {
    const asked = await call(['--help']);
    expect(asked).toMatchObject({ code: 0, err: '' });
    for (const { name } of commands) expect(asked.out).toContain(`  ${name} `);
    expect(await call([])).toEqual({ code: 2, out: '', err: asked.out });
  });

  it('knows its version', async () => {
    expect((await call(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('wrong usage', () => {
  it.each([
    [['sqll'], 'did you mean sql?'],
    [['sql'], 'STATEMENT is missing: gridfold sql STATEMENT'],
    [['sql', 'a', 'b'], '"b" is one argument too many'],
    [['sql', '   '], 'the statement is empty'],
    [['sql', 'x', '--limt', '5'], 'has no option --limt; did you mean --limit?'],
    [['sql', 'x', '--limit', '0'], '--limit must be a whole number from 1 to 100000, not "0"'],
    [['run', '--port'], '--port needs a value'],
    [['run', '--host', '--port', '1'], '--host needs a value'],
    [['run', '--json=1'], '--json takes no value'],
    [['run', '--auth-token', 'x'], 'has no option --auth-token'],
    [['run', '--port', 'x', '--partitions', '0'], '--port: must be a whole number'],
    [['state', 'A', '--url', 'ftp://x'], 'is not an http or https URL'],
    [['replay', 'seatle', 'f'], 'there is no format "seatle"; the formats are seattle-5min'],
    [['replay', 'solarma', '/nowhere/f'], 'Cannot read /nowhere/f'],
    [['run', '--config', '/nowhere/c.yaml'], '/nowhere/c.yaml: cannot be read'],
  ])('%j says so and exits with 2', async (args, message) => {
    const { code, out, err } = await call(args);
    expect(err).toContain(message);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });

  it('lists every problem of the configuration', async () => {
    const { err } = await call(['run', '--port', 'x', '--partitions', '0']);
    expect(err).toContain('--partitions: must be a whole number from 1 to 256');
  });
});

describe('a command finds its instance', () => {
  it('by --url, with the token of the configuration', async () => {
    const io = fakeIo({ environment: { GRIDFOLD_AUTH_TOKEN: 'remote' } });
    instance.door = () => ({ status: 200, body: { columns: [{ name: 'n', type: 'INTEGER' }], rows: [{ n: 1 }] } });
    expect(await call(['sql', 'select 1', '--url', instance.url], { io })).toMatchObject({ code: 0, out: 'n\n-\n1\n' });
    expect(instance.requests[0].authorization).toBe('Bearer remote');
    expect(JSON.parse(instance.requests[0].body)).toEqual({ sql: 'select 1', limit: 10_000 });
  });

  it('by the data folder, with the token that lies there', async () => {
    const withdraw = announce(dataDir, here());
    expect(statSync(join(dataDir, 'instance.json')).mode & 0o777).toBe(0o600);
    instance.door = ({ path }) => (path === '/v1/audit' ? { status: 200, body: { ok: true, sinks: [] } } : undefined);
    expect(await call(['audit', '--data-dir', dataDir, '--json'])).toMatchObject({
      code: 0,
      out: '{"ok":true,"sinks":[]}\n',
    });
    expect(instance.requests.at(-1)?.authorization).toBe('Bearer local');
    withdraw();
    expect(findInstance(dataDir)).toBeNull();
  });

  it('or opens the folder itself, and closes it', async () => {
    announce(dataDir, { ...here(), url: 'http://127.0.0.1:9' });
    const app = fakeApp(instance);
    const openApp = vi.fn<OpenApp>(async () => app);
    instance.door = ({ path }) => (path.startsWith('/v1/assets/') ? { status: 404, body: {} } : undefined);
    const { code, err } = await call(['state', 'a/b', '--data-dir', dataDir], { openApp });
    expect({ code, err }).toEqual({ code: 1, err: 'There is no asset a/b.\n' });
    expect(instance.requests[0].path).toBe('/v1/assets/a%2Fb');
    expect(openApp.mock.calls[0][0]).toMatchObject({ dataDir, host: '127.0.0.1', port: 0, sim: 0 });
    expect(app.closes).toBe(1);
    expect(findInstance(dataDir)).toBeNull();
  });

  it('but makes no folder to read from', async () => {
    const { code, err } = await call(['sql', 'select 1', '--data-dir', dataDir]);
    expect(code).toBe(1);
    expect(err).toContain('There is no data folder');
    expect(existsSync(dataDir)).toBe(false);
  });

  it('and closes the folder when it is interrupted or the app fails', async () => {
    for (const failed of [
      new Promise<Error>(() => {}),
      Promise.resolve(new GridfoldError('log_corrupt', 'stop', 'torn')),
    ]) {
      const app = { ...fakeApp(instance), live: new Promise<void>(() => {}), failed };
      const io = fakeIo();
      const openApp: OpenApp = async () => {
        io.interrupt();
        return app;
      };
      const { code } = await call(['ingest', '-', '--data-dir', dataDir], { io, openApp });
      expect({ code, closes: app.closes }).toEqual({ code: 1, closes: 1 });
    }
  });
});

describe('ingest', () => {
  it('sends lines to their doors, waits, and reports as JSON', async () => {
    const file = written('{"serial":"a","fields":{}}\n{"serial":"a","eventTime":1}\nrubbish\n');
    const { code, out } = await call(['ingest', file, '--url', instance.url, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ records: 3, accepted: 3, refused: 0, settled: true });
    expect(instance.requests.map(({ path }) => path).toSorted()).toEqual([
      '/v1/lifecycle',
      '/v1/settle?timeoutMs=20000',
      '/v1/telemetry',
    ]);
  });

  it('asks again while the instance is not settled, and does not ask with --no-wait', async () => {
    let pending = 2;
    instance.door = ({ path }) =>
      path.startsWith('/v1/settle') && pending-- > 0 ? { status: 503, body: { code: 'not_settled' } } : undefined;
    const file = written('{}\n');
    expect((await call(['ingest', file, '--url', instance.url])).out).toContain('1 record folded and committed');
    expect(pending).toBe(-1);
    instance.requests.length = 0;
    expect((await call(['ingest', file, '--url', instance.url, '--no-wait'])).out).toContain('1 record in the log');
    expect(instance.requests).toHaveLength(1);
  });

  it('shows refused lines; all refused is a failure', async () => {
    instance.door = ({ path }) =>
      path === '/v1/telemetry'
        ? {
            status: 200,
            body: { accepted: 0, refused: 1, errors: [{ line: 1, reason: 'not_json', detail: 'a\u001b[2J' }] },
          }
        : undefined;
    const { code, err } = await call(['ingest', written('x\n'), '--url', instance.url]);
    expect(code).toBe(1);
    expect(err).toContain('line 1: not_json: a\\u001b[2J');
    expect(err).toContain('refused: not_json 1');
  });

  it('exits with 2 for a file that is not there', async () => {
    expect(await call(['ingest', '/nowhere/x', '--url', instance.url])).toMatchObject({ code: 2 });
  });
});

describe('sql, audit, dead-letters', () => {
  it('gives rows as one array, and says on stderr when there are more', async () => {
    const rows = [
      { a: 1, b: null },
      { a: 2, b: 'x' },
    ];
    const columns = [{ name: 'a' }, { name: 'b' }];
    instance.door = () => ({ status: 200, body: { columns, rows, truncated: true } });
    const io = fakeIo({ stdin: 'select *' });
    const { out, err } = await call(['sql', '-', '--url', instance.url, '--json'], { io });
    expect(JSON.parse(out)).toEqual(rows);
    expect(err).toContain('more rows than these 2');
  });

  it('exits with 1 for a statement that fails and for an audit that finds something', async () => {
    instance.door = () => ({ status: 400, body: { code: 'sql_failed', detail: 'no such table' } });
    expect(await call(['sql', 'x', '--url', instance.url])).toMatchObject({
      code: 1,
      err: 'gridfold: no such table (HTTP 400) [sql_failed]\n',
    });
    const row = { sink: 'duckdb', partition: 0, next: 5, logEnd: 9, rows: 5, doubled: 1, missing: 0 };
    instance.door = () => ({ status: 200, body: { ok: false, sinks: [row] } });
    const { code, out } = await call(['audit', '--url', instance.url]);
    expect(code).toBe(1);
    expect(out).toContain('NOT exactly once');
  });

  it('pages through dead letters', async () => {
    const letter = (n: number) => ({
      at: `t${n}`,
      reason: n % 2 === 0 ? 'even' : 'odd',
      serial: null,
      source: null,
      bytes: 1,
      value: Buffer.from(`${n}`).toString('base64'),
    });
    instance.door = ({ path }) => {
      const before = Number(new URL(path, 'http://x').searchParams.get('before') ?? 0);
      const items = [letter(before), letter(before + 1)];
      return { status: 200, body: { items, next: before < 6 ? String(before + 2) : null } };
    };
    const { out } = await call(['dead-letters', '--url', instance.url, '--json', '--reason', 'even', '--limit', '3']);
    expect(JSON.parse(out).map(({ at }: { at: string }) => at)).toEqual(['t0', 't2', 't4']);
    expect((await call(['dead-letters', '--url', instance.url])).out).toContain('door');
  });
});

describe('run', () => {
  const runArgs = () => ['run', '--no-sim', '--data-dir', dataDir, '--log-level', 'error'];

  it('says where it serves, can be found, and closes on Ctrl-C', async () => {
    const app = fakeApp(instance);
    const io = fakeIo();
    const running = main([...runArgs(), '--json'], io, async () => app);
    await vi.waitFor(() => expect(io.out()).not.toBe(''));
    expect(io.out()).toBe(`{"event":"ready","url":"${instance.url}"}\n`);
    const found = JSON.parse(readFileSync(join(dataDir, 'instance.json'), 'utf8')) as Instance;
    expect(found).toMatchObject({ url: instance.url, pid: process.pid });
    expect(found.token.length).toBeGreaterThanOrEqual(32);
    io.interrupt();
    expect(await running).toBe(0);
    expect(app.closes).toBe(1);
    expect(existsSync(join(dataDir, 'instance.json'))).toBe(false);
  });

  it('gives up closing when it takes too long, or at a second Ctrl-C', async () => {
    for (const more of [['--shutdown-timeout-ms', '100'], []]) {
      const io = fakeIo();
      io.interrupt();
      if (more.length === 0) io.interruptAgain();
      const app = fakeApp(instance, new Promise(() => {}));
      expect(await main([...runArgs(), ...more], io, async () => app)).toBe(1);
      expect(io.err()).toContain('not closed in good order');
    }
  });

  it('ends with 1 when the app cannot go on, and with 2 when it cannot have its port', async () => {
    const io = fakeIo();
    const failed = Promise.resolve(new GridfoldError('log_corrupt', 'stop', 'partition 2 is torn'));
    expect(await main(runArgs(), io, async () => ({ ...fakeApp(instance), failed }))).toBe(1);
    expect(io.err()).toContain('partition 2 is torn');
    const openApp: OpenApp = async () => {
      throw new GridfoldError('port_unavailable', 'fix-configuration', 'cannot listen');
    };
    expect(await call(runArgs(), { openApp })).toMatchObject({ code: 2 });
  });

  it('refuses a folder on which another one runs, and says where', async () => {
    announce(dataDir, { ...here(), pid: process.ppid });
    const { code, err } = await call(runArgs());
    expect(code).toBe(1);
    expect(err).toContain(`already runs on ${dataDir}: ${instance.url}`);
  });

  it('feeds a simulated fleet through the door and keeps where it stands', async () => {
    const io = fakeIo();
    const args = ['run', '--sim', '4', '--data-dir', dataDir, '--log-level', 'warn'];
    const running = main(args, io, async () => fakeApp(instance));
    await vi.waitFor(() => expect(instance.requests.some(({ path }) => path === '/v1/lifecycle')).toBe(true));
    io.interrupt();
    expect(await running).toBe(0);
    expect(JSON.parse(readFileSync(join(dataDir, 'fleet.json'), 'utf8'))).toMatchObject({ format: 1 });
    expect(io.err()).toBe('');
  });
});
