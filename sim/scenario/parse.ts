import { splitBlocks } from './blocks.ts';
import { ScenarioReader } from './reader.ts';
import type { Problem, Scenario } from './script.ts';

/** Reads the scenarios of a file. What cannot be understood stands in `problems`, each with its line. */
export function parseScenarios(file: string, text: string): { scenarios: Scenario[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const scenarios: Scenario[] = [];
  for (const block of splitBlocks(file, text, problems)) {
    const reader = new ScenarioReader(file, block);
    const scenario = reader.read();
    const known = (p: Problem) => problems.some((q) => q.line === p.line && q.message === p.message);
    problems.push(...reader.problems.filter((p) => !known(p)));
    if (scenario !== null) scenarios.push(scenario);
  }
  return { scenarios, problems };
}
