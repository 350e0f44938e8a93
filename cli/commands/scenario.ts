import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { FileReport } from '../../sim/scenario/files.ts';
import type { Problem } from '../../sim/scenario/script.ts';
import type { Command } from '../command.ts';
import { count, writeJson } from '../output.ts';
import { Progress } from '../progress.ts';
import { UsageError } from '../usage-error.ts';

export const scenario: Command = {
  name: 'scenario',
  summary: 'Plays written scenarios through the fold: exit code 1 when an expectation fails.',
  positionals: ['FILE...'],
  runtimeOptions: ['json'],
  options: {
    only: { type: 'text', value: 'TEXT', doc: 'Plays the scenarios whose title holds this text.' },
    seed: { type: 'integer', max: 0xffff_ffff, doc: 'Of the duplicates and of the other order. Default 1.' },
  },
  details: [
    'A scenario says what happens to an asset and which facts must follow. It is played as told, with every record twice, and in another order of arrival; all must end in the same facts. No instance is needed and nothing is kept.',
    'FILE is a .scenario file or a folder of them. docs/scenarios.md explains the language. Exit code 2 when a line cannot be understood.',
  ],
  examples: [
    { line: 'gridfold scenario scenarios/', doc: 'All that come with Gridfold.' },
    { line: 'gridfold scenario night.scenario --seed 7', doc: 'One file, with another order of arrival.' },
    { line: 'gridfold scenario scenarios/ --only "counter" --json', doc: 'Some of them, for a machine.' },
  ],
  async run({ positionals, values, json, io }) {
    // Help and other commands need not wait for the fold.
    const { runFile, scenarioFiles } = await import('../../sim/scenario/files.ts');
    const seed = Number(values.seed ?? 1);
    const reports: FileReport[] = [];
    const progress = new Progress(io);
    for (const path of positionals) {
      const files = await reading(path, () => scenarioFiles(path));
      if (files.length === 0) throw new UsageError(`there is no .scenario file in ${path}`);
      for (const file of files) {
        progress.tick(() => `${reports.length} files played; ${file}`);
        reports.push(await reading(file, () => runFile(file, seed, String(values.only ?? ''))));
      }
    }
    progress.end();
    const problems = reports.flatMap((r) => r.problems);
    const failures = reports.flatMap((r) => r.outcomes.flatMap((o) => o.failures));
    const played = reports.reduce((n, r) => n + r.outcomes.length, 0);
    const ok = problems.length === 0 && failures.length === 0;
    if (played === 0 && ok) throw new UsageError('no scenario is there, or none has such a title');
    if (json) writeJson(io.stdout, { ok, seed, scenarios: played, problems, files: reports.map(forMachines) });
    else io.stdout.write(`${describe(reports, played)}\n`);
    return problems.length > 0 ? 2 : ok ? 0 : 1;
  },
};

async function reading<T>(file: string, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (cause instanceof GridfoldError || code === undefined) throw cause;
    throw new GridfoldError('input_unreadable', 'fix-configuration', `Cannot read ${file}: ${code}`, { cause });
  }
}

function forMachines({ file, outcomes }: FileReport): object {
  return {
    file,
    scenarios: outcomes.map(({ scenario: { line, title, covers }, failures }) => ({
      line,
      title,
      covers,
      ok: failures.length === 0,
      failures: failures.map((f) => ({ line: f.line, message: f.message })),
    })),
  };
}

function describe(reports: readonly FileReport[], played: number): string {
  const lines = reports.flatMap(({ problems, outcomes }) => [
    ...problems.map(place),
    ...outcomes.flatMap(({ scenario: { title }, failures }) => failures.map((f) => `${place(f)}\n    in: ${title}`)),
  ]);
  const failed = reports.reduce((n, r) => n + r.outcomes.filter((o) => o.failures.length > 0).length, 0);
  const unread = reports.reduce((n, r) => n + r.problems.length, 0);
  const verdict =
    unread > 0 ? `${count(unread, 'line')} cannot be understood` : failed > 0 ? `${failed} failed` : 'all hold';
  return [...lines, `${count(played, 'scenario')} in ${count(reports.length, 'file')}: ${verdict}`].join('\n');
}

function place({ file, line, message }: Problem): string {
  return `${file}:${line}: ${message}`;
}
