import type { DerivedType } from '../../runtime/shard/derived.ts';
import { holds } from './conditions.ts';
import type { CurrentFact, Stage } from './play.ts';
import type { Claim, Condition, Expectation, Scenario } from './script.ts';
import { describeTime } from './time.ts';
import { columnNamed, columnsOf } from './vocabulary.ts';

/** Null where the expectation holds on the stage as it stands, else what is there instead. */
export function unmet(expectation: Expectation, stage: Stage, scenario: Scenario): string | null {
  const { claim, serial } = expectation;
  if (claim.is === 'fact') return unmetFact(claim, factsOf(stage, serial, claim.type.name), scenario);
  if (claim.is === 'state' || claim.is === 'states') return unmetState(claim, stage, serial, scenario);
  if (claim.is === 'refused') {
    const found = stage.refused.filter((r) => r.reason === claim.reason).length;
    const met = claim.count === null ? found > 0 : found === claim.count;
    return met ? null : `refused with ${claim.reason}: ${found}`;
  }
  return unmetView(claim, stage, serial);
}

function factsOf(stage: Stage, serial: string, type: string): CurrentFact[] {
  const facts = [...stage.current().values()].filter((f) => f.type === type && f.serial === serial);
  return facts.sort((a, b) => (a.eventTime < b.eventTime ? -1 : a.eventTime > b.eventTime ? 1 : 0));
}

function unmetFact(claim: Extract<Claim, { is: 'fact' }>, facts: readonly CurrentFact[], scenario: Scenario) {
  const found = facts.filter((fact) => claim.where.every((c) => columnHolds(claim.type, c, fact)));
  const met = claim.count === null ? found.length > 0 : found.length === claim.count;
  if (met) return null;
  const wanted = claim.count === null ? 'none is so' : `${found.length} are so`;
  return `${wanted}; ${list(facts, scenario)}`;
}

const MOST_SHOWN = 8;

function list(facts: readonly CurrentFact[], scenario: Scenario): string {
  if (facts.length === 0) return 'there is none at all';
  const shown = facts.slice(0, MOST_SHOWN).map((fact) => `\n      ${describeFact(fact, scenario)}`);
  const more = facts.length > MOST_SHOWN ? `\n      and ${facts.length - MOST_SHOWN} more` : '';
  return `there ${facts.length === 1 ? 'is' : 'are'}${shown.join('')}${more}`;
}

/** A fact in the words of the language: `fault code=1364 openedTime=+10m closedTime=null`. */
export function describeFact({ type, data }: CurrentFact, scenario: Scenario): string {
  const told = columnsOf(type).filter(({ name }) => data[name] !== null && data[name] !== undefined);
  const untold = columnsOf(type).filter(({ name }) => data[name] === null);
  const columns = told.map(({ name, type: kind }) => {
    const value = data[name];
    if (kind === 'time' && typeof value === 'string') {
      return `${name}=${describeTime(Date.parse(value), scenario.start)}`;
    }
    return `${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`;
  });
  const nulls = untold.length === 0 ? '' : `, null: ${untold.map(({ name }) => name).join(' ')}`;
  return `${type} ${columns.join(' ')}${nulls}`;
}

function columnHolds(type: DerivedType, condition: Condition, fact: CurrentFact): boolean {
  const value = fact.data[condition.name];
  const isTime = columnNamed(type, condition.name).type === 'time';
  return holds(condition, isTime && typeof value === 'string' ? Date.parse(value) : value);
}

function unmetState(
  claim: Extract<Claim, { is: 'state' | 'states' }>,
  stage: Stage,
  serial: string,
  scenario: Scenario,
): string | null {
  const intervals = factsOf(stage, serial, 'state_interval').filter((f) => f.data.region === claim.region);
  if (claim.is === 'states') {
    const path = intervals.map((f) => String(f.data.state));
    return path.join() === claim.path.join() ? null : `${claim.region} went ${path.join(' > ') || 'nowhere'}`;
  }
  const { at } = claim;
  const within = intervals.filter(({ data }) => {
    if (at === null) return data.toTime === null;
    const [from, to] = [
      Date.parse(String(data.fromTime)),
      data.toTime === null ? null : Date.parse(String(data.toTime)),
    ];
    return from <= at && (to === null || at < to);
  });
  const states = within.map((f) => String(f.data.state));
  if (states.length === 1 && states[0] === claim.state) return null;
  return `${claim.region} is ${states.join(' and ') || 'in no state'}${at === null ? '' : ' then'}; ${list(intervals, scenario)}`;
}

function unmetView(
  claim: Extract<Claim, { is: 'status' | 'value' | 'derates' | 'counts' }>,
  stage: Stage,
  serial: string,
): string | null {
  const view = stage.view(serial);
  if (view === null) return `nothing was ever told of ${serial}`;
  if (claim.is === 'status') return view.status === claim.status ? null : `status is ${view.status}`;
  if (claim.is === 'derates') {
    const [wanted, found] = [[...claim.causes].sort().join(', '), [...view.derates].sort().join(', ')];
    return wanted === found ? null : `derates are [${found}]`;
  }
  if (claim.is === 'value') {
    const { name } = claim.condition;
    const value = view.values[name]?.value ?? null;
    return holds(claim.condition, value) ? null : `${name} is ${JSON.stringify(value)}`;
  }
  const counts = view.counts as unknown as Readonly<Record<string, number>>;
  const wrong = claim.counts.filter((c) => !holds(c, counts[c.name]));
  return wrong.length === 0 ? null : `counted: ${wrong.map((c) => `${c.name} ${counts[c.name]}`).join(', ')}`;
}
