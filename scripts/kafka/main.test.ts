import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeKafka } from '../../test/kafka/describe-kafka.ts';
import { freePort } from './ports.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gridfold-kafka-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function kafka(args: readonly string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], {
    cwd: dir,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const ended = once(child, 'close').then(([code]) => ({ code, stderr }));
  return { child, ended };
}

describe('npm run kafka', () => {
  it.each([
    ['no Java', [], { JAVA_HOME: '/nowhere' }, 'needs Java 17 or newer, and there is none. Install one'],
    ['no jars where they should be', ['--fetch'], { GRIDFOLD_KAFKA_LIBS: '.' }, 'no kafka_2.13-*.jar stands'],
    ['a port that is none', ['--port', 'x'], {}, '--port x is not a whole number from 1 to 65535'],
  ])('says what to do about %s', async (_, args, environment, message) => {
    const port = args.length === 0 ? ['--port', String(await freePort())] : [];
    const { code, stderr } = await kafka([...args, ...port], environment).ended;
    expect(stderr).toContain(message);
    expect(code).toBe(1);
  });

  it('says so when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await kafka(['--port', String(port)]).ended;
    other.close();
    expect(stderr).toContain(`Port ${port} is taken`);
    expect(code).toBe(1);
  });
});

describeKafka('npm run kafka with Java', () => {
  it('says where it listens, and stops in good order when it is told to', async () => {
    const port = String(await freePort());
    const { child, ended } = kafka(['--port', port, '--heap', '256']);
    const [line] = await once(child.stdout, 'data');
    expect(String(line)).toContain(`Kafka listens on 127.0.0.1:${port} (data in ${join(dir, '.gridfold-kafka')})`);
    child.kill('SIGINT');
    expect(await ended).toEqual({ code: 0, stderr: '' });
  });
});
