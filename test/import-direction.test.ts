import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const project = resolve(import.meta.dirname, '..');
const depcruise = join(project, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

/** Violated rules as "rule: from -> to" for a tree of files. */
function violations(folder: string, files: Record<string, string>): string[] {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const done = spawnSync(
    process.execPath,
    [depcruise, '--config', join(project, '.dependency-cruiser.cjs'), '--output-type', 'json', '.'],
    { cwd: folder, encoding: 'utf8' },
  );
  const { summary } = JSON.parse(done.stdout) as {
    summary: { violations: { rule: { name: string }; from: string; to: string }[] };
  };
  return summary.violations.map((v) => `${v.rule.name}: ${v.from} -> ${v.to}`).sort();
}

describe('import direction', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gridfold-imports-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('lets a layer import those below it', () => {
    const found = violations(folder, {
      'runtime/kernel/a.ts': 'export const a = 1;',
      'runtime/shard/b.ts': "export { a } from '../kernel/a.ts';",
      'actors/device/c.ts': "import { a } from '../../runtime/shard/b.ts'; export const c: number = a;",
      'cli/d.ts': "import { c } from '../actors/device/c.ts'; console.log(c);",
      'runtime/kernel/a.test.ts': "import '../../cli/d.ts';",
    });
    expect(found).toEqual([]);
  });

  it('refuses every way of importing upwards', () => {
    const found = violations(folder, {
      'api/up.ts': 'export const up = 1; export type Up = string;',
      'runtime/kernel/value.ts': "import { up } from '../../api/up.ts'; console.log(up);",
      'runtime/kernel/type.ts': "import type { Up } from '../../api/up.ts'; export const x: Up = '';",
      'runtime/kernel/inline.ts': "import { type Up } from '../../api/up.ts'; export const x: Up = '';",
      'runtime/kernel/again.ts': "export { up } from '../../api/up.ts';",
      'runtime/kernel/later.ts': "console.log(await import('../../api/up.ts'));",
      'sim/peek.ts': "import { up } from '../api/up.ts'; console.log(up);",
    });
    expect(found).toEqual([
      'layer-runtime-kernel: runtime/kernel/again.ts -> api/up.ts',
      'layer-runtime-kernel: runtime/kernel/inline.ts -> api/up.ts',
      'layer-runtime-kernel: runtime/kernel/later.ts -> api/up.ts',
      'layer-runtime-kernel: runtime/kernel/type.ts -> api/up.ts',
      'layer-runtime-kernel: runtime/kernel/value.ts -> api/up.ts',
      'layer-sim: sim/peek.ts -> api/up.ts',
    ]);
  });

  it('refuses cycles and tests imported by production code', () => {
    const found = violations(folder, {
      'codec/a.ts': "import { b } from './b.ts'; export const a = (): number => b();",
      'codec/b.ts': "import { a } from './a.ts'; export const b = (): number => a();",
      'codec/c.ts': "import './c.test.ts';",
      'codec/c.test.ts': 'export {};',
    });
    expect(found).toEqual([
      'no-cycles: codec/a.ts -> codec/b.ts',
      'no-tests-in-production: codec/c.ts -> codec/c.test.ts',
    ]);
  });
});
