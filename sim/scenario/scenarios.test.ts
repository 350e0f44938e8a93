import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scenarioFiles } from './files.ts';
import { parseScenarios } from './parse.ts';
import { runScenario } from './run.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = join(root, 'scenarios');
const seed = Number(process.env.GRIDFOLD_SCENARIO_SEED ?? 1);
const files = scenarioFiles(folder).map((path) => {
  const file = relative(root, path);
  return { file, ...parseScenarios(file, readFileSync(path, 'utf8')) };
});

describe.each(files)('$file', ({ scenarios, problems }) => {
  it('can be understood', () => {
    expect(problems).toEqual([]);
  });

  it.each(scenarios.map((scenario) => [`${scenario.line}: ${scenario.title}`, scenario] as const))(
    '%s',
    async (_, scenario) => {
      const { failures } = await runScenario(scenario, seed);
      expect(failures.map((f) => `${f.file}:${f.line}: ${f.message}`)).toEqual([]);
    },
  );
});

describe('scenarios/coverage.txt', () => {
  const rows = readFileSync(join(folder, 'coverage.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => /^(- )?(\S+)\s+(\S.*)$/.exec(line) as RegExpExecArray);
  const told = rows.filter((row) => row[1] === undefined).map((row) => row[2]);
  const covered = new Set(files.flatMap((f) => f.scenarios.flatMap((s) => s.covers)));

  it('names each row once', () => {
    const ids = rows.map((row) => row[2]);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
  });

  it('has a scenario for each row that the fold tells', () => {
    expect(told.filter((id) => !covered.has(id))).toEqual([]);
  });

  it('knows every row that a scenario names', () => {
    expect([...covered].filter((id) => !told.includes(id))).toEqual([]);
  });

  it('is covered by scenarios that say which row they show', () => {
    const silent = files.flatMap((f) => f.scenarios.filter((s) => s.covers.length === 0));
    expect(silent.map((s) => `${s.file}:${s.line}`)).toEqual([]);
  });
});
