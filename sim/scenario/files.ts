import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseScenarios } from './parse.ts';
import { type Outcome, runScenario } from './run.ts';
import type { Problem } from './script.ts';

export const EXTENSION = '.scenario';

export interface FileReport {
  readonly file: string;
  /** Lines that cannot be understood; the scenarios they stand in were not played. */
  readonly problems: readonly Problem[];
  readonly outcomes: readonly Outcome[];
}

/** The scenario files that a path names: itself, or those in the folder and below it. Throws where there is none such. */
export function scenarioFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const entries = readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
  return entries.filter((name) => name.endsWith(EXTENSION)).map((name) => join(path, name));
}

/** Plays all scenarios of a file whose title holds `only`. */
export async function runFile(file: string, seed: number, only = ''): Promise<FileReport> {
  const { scenarios, problems } = parseScenarios(file, readFileSync(file, 'utf8'));
  const outcomes: Outcome[] = [];
  for (const scenario of scenarios) {
    if (scenario.title.includes(only)) outcomes.push(await runScenario(scenario, seed));
  }
  return { file, problems, outcomes };
}
