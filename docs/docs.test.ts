import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { describeKafka } from '../test/kafka/describe-kafka.ts';
import { pagesWithTables, withTables } from '../scripts/docs-tables.ts';

const root = resolve(import.meta.dirname, '..');
const skipped = new Set(['node_modules', '.git', '.gridfold', 'coverage']);

function filesUnder(folder: string, end: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (skipped.has(entry.name) || entry.name.startsWith('.')) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesUnder(path, end);
    return path.endsWith(end) ? [path] : [];
  });
}
const pages = filesUnder(root, '.md');
const pageNamed = (name: string) => readFileSync(join(root, name), 'utf8');

function fences(page: string, language: string): string[] {
  return [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].filter((m) => m[1] === language).map((m) => m[2]);
}

describe('links', () => {
  test.each(pages.map((page) => relative(root, page)))('of %s lead somewhere', (name) => {
    const text = pageNamed(name).replace(/^```[\s\S]*?^```$/gm, '');
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((m) => m[1]);
    const local = targets.filter((target) => !/^[a-z]+:/.test(target)).map((target) => target.split('#')[0]);
    const missing = local.filter((target) => target !== '' && !existsSync(resolve(root, dirname(name), target)));
    expect(missing).toEqual([]);
  });
});

describe('tables made from the code (node scripts/docs.ts writes them)', () => {
  test.each(pagesWithTables)('in %s are as the code says', (name) => {
    const page = pageNamed(`docs/${name}`);
    expect(page).toContain('<!-- made: ');
    expect(page).toBe(withTables(page));
  });
});

describe('docs/operate.md', () => {
  const sources = filesUnder(root, '.ts').filter((file) => !/\.test\.ts$|\/testing\/|^test\//.test(file));
  const codes = new Set<string>();
  for (const file of sources) {
    if (relative(root, file).startsWith('docs')) continue;
    const text = readFileSync(file, 'utf8');
    for (const made of text.matchAll(/(?:new GridfoldError|super)\(\s*(?:[\w.]+ \? )?'(\w+)'(?: : '(\w+)')?/g)) {
      for (const code of made.slice(1)) if (code !== undefined) codes.add(code);
    }
  }

  test('names every error code of the sources, and no other', () => {
    expect(codes.size).toBeGreaterThan(50);
    const section = pageNamed('docs/operate.md').split('\n## Error codes\n')[1];
    const cells = [...section.matchAll(/^\| (`[^|]*) \|/gm)].map((m) => m[1]);
    const named = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map((m) => m[1]));
    expect(named.sort()).toEqual([...codes].sort());
  });

  test('names every reason for which a shard or a door refuses a record', () => {
    const files = ['fold', 'late', 'lifecycle'].map((name) => `runtime/shard/${name}.ts`);
    const text = [...files, 'api/http/ingest.ts'].map(pageNamed).join('\n');
    const found = [...text.matchAll(/(?:return|reason:|rejected\() ?'(\w+)'/g)].map((m) => m[1]);
    const reasons = new Set(found.filter((word) => word !== 'known' && word !== 'created'));
    const page = pageNamed('docs/operate.md');
    expect(reasons.size).toBeGreaterThan(5);
    expect([...reasons].filter((reason) => !page.includes(`\`${reason}\``))).toEqual([]);
  });
});

test('docs/adr: no record is longer than 40 lines', () => {
  const records = pages.filter((page) => /\/adr\/\d{4}-/.test(page));
  const long = records.filter((page) => readFileSync(page, 'utf8').trim().split('\n').length > 40);
  expect(long.map((page) => relative(root, page))).toEqual([]);
});

test('docs/live.md names every error code of the live door', () => {
  const sources = filesUnder(join(root, 'api', 'live'), '.ts').filter((file) => !file.endsWith('.test.ts'));
  const text = sources.map((file) => readFileSync(file, 'utf8')).join('\n');
  const codes = [...text.matchAll(/code: '(\w+)'/g)].map((m) => m[1]);
  expect(codes.length).toBeGreaterThan(4);
  const page = pageNamed('docs/live.md');
  expect(codes.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});

test('docs/recover.md has a row for each numbered step', () => {
  const steps = [...pageNamed('test/crash/crash.test.ts').matchAll(/^ {2}'([a-z.]+\.\d)',$/gm)].map((m) => m[1]);
  expect(steps.length).toBeGreaterThan(15);
  const page = pageNamed('docs/recover.md');
  expect(steps.filter((step) => !page.includes(`\`${step}\``))).toEqual([]);
});

describe('the commands of README.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gridfold-docs-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const readme = pageNamed('README.md');
  writeFileSync(join(folder, 'readings.ndjson'), fences(readme, 'ndjson')[0]);
  const data = process.env.GRIDFOLD_DATA ?? join(root, '..', 'shared', 'data');
  const recording = join(data, 'pv_inverters', 'solarma_13_inverters_10min_2019-09.csv');
  if (existsSync(recording)) copyFileSync(recording, join(folder, 'plant.csv'));

  const start = 'npm run -s gridfold -- ';
  const cli = join(root, 'cli/gridfold.ts');
  const lines = fences(readme, 'sh').join('').trim().split('\n');
  const ours = lines.filter((line) => line.startsWith(start));
  const onKafka = ours.filter((line) => line.includes('--config gridfold.yaml'));
  const commands = ours.filter((line) => !onKafka.includes(line));

  test('are the two of npm and those of gridfold', () => {
    expect(lines.filter((line) => !line.startsWith(start))).toEqual(['npm start', 'npm test']);
    expect(commands.length).toBeGreaterThan(5);
  });

  describeKafka('on a Kafka', (kafka) => {
    const configured = async () => {
      writeFileSync(join(folder, 'gridfold.yaml'), fences(readme, 'yaml')[0]);
      const [bootstrap, prefix] = [await kafka.bootstrap(), kafka.unique('readme')];
      return { GRIDFOLD_KAFKA_BROKERS: bootstrap, GRIDFOLD_KAFKA_TOPIC_PREFIX: `${prefix}.`, GRIDFOLD_PORT: '0' };
    };

    test.each(onKafka.filter((line) => line.includes('topics')))('%s', async (command) => {
      expect(run(command, await configured())).toContain('create');
    });

    test.each(onKafka.filter((line) => line.includes(' -- run ')))('%s', async (command) => {
      const args = command.replace(start, '').split(' ');
      const env = { ...process.env, ...(await configured()), NODE_OPTIONS: '' };
      const child = spawn(process.execPath, [cli, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      expect(line.toString()).toContain('Gridfold is running');
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual([0, null]);
    });
  });

  function run(command: string, more: Record<string, string> = {}): string {
    const line = command.replace(start, '"$NODE" "$CLI" ');
    const env = { ...process.env, ...more, NODE: process.execPath, CLI: cli, NODE_OPTIONS: '' };
    return execFileSync('sh', ['-c', line], { cwd: folder, env, encoding: 'utf8', timeout: 50_000 });
  }

  test.each(commands)('%s', (command) => {
    if (command.includes('plant.csv') && !existsSync(recording)) {
      process.stdout.write(`skipped, there is no recording: ${command}\n`);
      return;
    }
    const out = run(command);
    if (command.includes('state PW')) expect(out).toContain('S-42 / battery-1');
    if (command.includes('energy_intervals')) expect(out).toMatch(/125/);
    if (command.includes('audit')) expect(out).toContain('Nothing lost, nothing doubled.');
  });
});
