import { describeFact, unmet } from './check.ts';
import { asTold, type Delivery, shuffled, withDuplicates } from './delivery.ts';
import { type CurrentFact, Stage } from './play.ts';
import type { Arrival, Expectation, Problem, Scenario } from './script.ts';

export interface Outcome {
  readonly scenario: Scenario;
  /** What is not as expected; empty where all is. */
  readonly failures: readonly Problem[];
}

/**
 * Plays a scenario as told, with every record twice, and in another order. The first must meet the expectations, the
 * others must end in the same current facts.
 */
export async function runScenario(scenario: Scenario, seed: number): Promise<Outcome> {
  const failures: Problem[] = [];
  const fail = (line: number, message: string) => failures.push({ file: scenario.file, line, message });
  const plain = await play(scenario, asTold(scenario), true);
  for (const { expectation, instead } of plain.unmet) fail(expectation.line, `${expectation.text}: ${instead}`);
  for (const message of plain.thrown) fail(scenario.line, message);
  const announced = new Set(scenario.expectations.map(({ claim }) => (claim.is === 'refused' ? claim.reason : '')));
  for (const [arrival, reason] of plain.refused) {
    if (!announced.has(reason)) fail(arrival.line, `the record was refused: ${reason}`);
  }
  const others: [string, Delivery[]][] = [['with every record twice', withDuplicates(scenario, seed)]];
  if (scenario.orderMatters === null) {
    const refused = new Set(plain.refused.map(([arrival]) => arrival));
    others.push(['in another order of arrival', shuffled(scenario, seed, refused)]);
  }
  for (const [how, deliveries] of others) {
    const { facts } = await play(scenario, deliveries, false);
    const differences = differing(plain.facts, facts, scenario);
    if (differences.length > 0)
      fail(scenario.line, `${how} (seed ${seed}) the facts are others:${differences.join('')}`);
  }
  return { scenario, failures };
}

interface Played {
  readonly facts: ReadonlyMap<string, CurrentFact>;
  readonly refused: readonly (readonly [Arrival, string])[];
  /** Folds that threw. */
  readonly thrown: readonly string[];
  readonly unmet: readonly { readonly expectation: Expectation; readonly instead: string }[];
}

async function play(scenario: Scenario, deliveries: readonly Delivery[], checks: boolean): Promise<Played> {
  const stage = await Stage.open(scenario);
  const found: { expectation: Expectation; instead: string }[] = [];
  const check = (expectation: Expectation) => {
    stage.publish();
    const instead = unmet(expectation, stage, scenario);
    if (instead !== null) found.push({ expectation, instead });
  };
  try {
    const timed = checks ? scenario.expectations.filter((e) => e.when !== null).sort(byWhen) : [];
    for (const { arrival, clock, accepted } of deliveries) {
      while (timed.length > 0 && Number(timed[0].when) < clock) checkAt(stage, timed.shift() as Expectation, check);
      stage.advance(clock);
      stage.tell(arrival, clock, accepted);
    }
    for (const expectation of timed) checkAt(stage, expectation, check);
    stage.advance(scenario.end);
    if (checks) for (const e of scenario.expectations) if (e.when === null) check(e);
    stage.publish();
    const refused = stage.refused.map(({ told, reason }) => [deliveries[told].arrival, reason] as const);
    return { facts: stage.current(), refused, thrown: stage.failures, unmet: found };
  } finally {
    await stage.close();
  }
}

function checkAt(stage: Stage, expectation: Expectation, check: (e: Expectation) => void): void {
  stage.advance(Number(expectation.when));
  check(expectation);
}

const byWhen = (a: Expectation, b: Expectation) => Number(a.when) - Number(b.when);
const MOST_SHOWN = 6;

function differing(
  wanted: ReadonlyMap<string, CurrentFact>,
  found: ReadonlyMap<string, CurrentFact>,
  scenario: Scenario,
): string[] {
  const lines: string[] = [];
  const say = (sign: string, fact: CurrentFact) => lines.push(`\n      ${sign} ${describeFact(fact, scenario)}`);
  for (const [id, fact] of wanted) {
    const other = found.get(id);
    if (other !== undefined && JSON.stringify(other) === JSON.stringify(fact)) continue;
    say('-', fact);
    if (other !== undefined) say('+', other);
  }
  for (const [id, fact] of found) if (!wanted.has(id)) say('+', fact);
  return lines.slice(0, 2 * MOST_SHOWN);
}
