import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const scripts = resolve(import.meta.dirname, '../scripts');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gridfold-bootstrap-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `child` (module source) under launch.mjs in a process of its own. */
function launched(child: string, options = ''): ReturnType<typeof spawn> {
  const childPath = join(folder, 'child.mjs');
  const parentPath = join(folder, 'parent.mjs');
  writeFileSync(childPath, child);
  writeFileSync(
    parentPath,
    `import { launch } from ${JSON.stringify(join(scripts, 'launch.mjs'))};
     process.exitCode = await launch('.', process.execPath, [${JSON.stringify(childPath)}, 'a b'] ${options});`,
  );
  return spawn(process.execPath, [parentPath], { stdio: ['ignore', 'pipe', 'inherit'] });
}

describe('launch', () => {
  it('forwards arguments and the exit code', async () => {
    const parent = launched('console.log(process.argv[2]); process.exit(7);');
    const output = once(parent.stdout!, 'data');
    expect(String((await output)[0])).toBe('a b\n');
    expect(await once(parent, 'exit')).toEqual([7, null]);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('forwards %s, and ends with the code of the child', async (signal) => {
    const parent = launched(
      `setInterval(() => {}, 1000); process.on('${signal}', () => process.exit(5)); console.log('up');`,
    );
    await once(parent.stdout!, 'data');
    parent.kill(signal);
    expect(await once(parent, 'exit')).toEqual([5, null]);
  });

  it('takes the end by a signal it forwarded for success where the caller says so', async () => {
    const child = "setInterval(() => {}, 1000); console.log('up');";
    for (const [options, code] of [
      ['', 130],
      [', { signalIsSuccess: true }', 0],
    ] as const) {
      const parent = launched(child, options);
      await once(parent.stdout!, 'data');
      parent.kill('SIGINT');
      expect(await once(parent, 'exit')).toEqual([code, null]);
    }
  });
});

describe('installIfNeeded', () => {
  const lock = {
    packages: {
      '': {},
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b': { version: '2.0.0', optional: true },
    },
  };
  const install = (): { installed: boolean; status: number | null } => {
    // An npm that only says that it was called.
    writeFileSync(
      join(folder, 'npm-cli.js'),
      "console.log('CALLED', ...process.argv.slice(2)); require('node:fs').mkdirSync('node_modules', {recursive: true});",
    );
    const code = `import { installIfNeeded } from ${JSON.stringify(join(scripts, 'install.mjs'))}; installIfNeeded(${JSON.stringify(folder)});`;
    const done = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      encoding: 'utf8',
      env: { ...process.env, npm_execpath: join(folder, 'npm-cli.js') },
    });
    expect(done.stdout).toBe('');
    return { installed: done.stderr.includes('CALLED ci'), status: done.status };
  };
  const writeLock = (value: object): void => writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(value));

  it('installs once, and again when the lock file changed', () => {
    writeLock(lock);
    expect(install()).toEqual({ installed: true, status: 0 });
    expect(install()).toEqual({ installed: false, status: 0 });
    writeLock({ packages: { '': {}, 'node_modules/a': { version: '1.0.1' } } });
    expect(install()).toEqual({ installed: true, status: 0 });
  });

  it('accepts an install made by hand when it holds what the lock file names', () => {
    writeLock(lock);
    mkdirSync(join(folder, 'node_modules'));
    const hidden = join(folder, 'node_modules', '.package-lock.json');
    writeFileSync(hidden, JSON.stringify({ packages: { 'node_modules/a': { version: '0.9.0' } } }));
    expect(install().installed).toBe(true);
    rmSync(join(folder, 'node_modules'), { recursive: true });
    mkdirSync(join(folder, 'node_modules'));
    writeFileSync(hidden, JSON.stringify({ packages: { 'node_modules/a': { version: '1.0.0' } } }));
    expect(install().installed).toBe(false);
  });
});

it('bootstrap says what it can do, with exit code 2', () => {
  const done = spawnSync(process.execPath, [join(scripts, 'bootstrap.mjs'), 'dance'], { encoding: 'utf8' });
  expect(done.status).toBe(2);
  expect(done.stderr).toContain('usage: node scripts/bootstrap.mjs run|gridfold|test|verify|kafka|faults|tool');
});
