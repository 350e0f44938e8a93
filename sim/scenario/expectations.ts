import { regionKey } from '../../actors/site/region-key.ts';
import { columnCondition, comparison, countCondition, fieldCondition } from './conditions.ts';
import { type Claim, type Expectation, Misreading, type ScenarioAsset } from './script.ts';
import { parseTime, type Start } from './time.ts';
import {
  columnNamed,
  factNamed,
  isFactType,
  kindNamed,
  placeKindNames,
  reasonNamed,
  regionNamed,
  stateNamed,
} from './vocabulary.ts';
import { listItems, unquoted } from './words.ts';

const FORMS = [
  'expect [no|N] FACT column=value...',
  'expect state REGION=STATE [at TIME]',
  'expect states REGION: A > B > C',
  'expect status=WORD',
  'expect value FIELD=VALUE',
  'expect derates=[CAUSE, ...]',
  'expect counts late=N duplicate=N applied=N invalid=N',
  'expect [N] refused REASON',
  `expect ${placeKindNames.join('|')} KEY [no|N] FACT column=value...`,
].join(' | ');
const COUNTS = ['applied', 'duplicate', 'late', 'invalid'];

/** Reads what follows `expect`. */
export function parseExpectation(
  given: readonly string[],
  assets: readonly ScenarioAsset[],
  start: Start,
  when: number | null,
  line: number,
  text: string,
): Expectation {
  const rest = [...given];
  const place = placeKindNames.includes(rest[0]);
  if (place) return { line, text, when, place, ...placeExpectation(rest, start) };
  const named = assets.find((a) => a.serial === rest[0]);
  if (named !== undefined) rest.shift();
  if (named === undefined && assets.length > 1) {
    throw new Misreading(`of which asset? Write its serial after expect: ${assets.map((a) => a.serial).join(', ')}`);
  }
  const asset = named ?? assets[0];
  const count = takeCount(rest);
  return { line, text, when, place, serial: asset.serial, claim: claimOf(rest, asset, count, start) };
}

/** `site S-1 [no|N] FACT column=value...`: of places only facts are known. */
function placeExpectation(rest: string[], start: Start): { serial: string; claim: Claim } {
  const [kind, serial] = rest.splice(0, 2);
  const count = takeCount(rest);
  if (serial === undefined || rest.length === 0) throw new Misreading(`write expect ${kind} KEY FACT column=value...`);
  const key = kind === 'region' ? regionKey(serial) : serial;
  return { serial: key, claim: factClaim(rest[0], rest.slice(1), count, start, true) };
}

function takeCount(rest: string[]): number | null {
  const count = rest[0] === 'no' ? 0 : /^\d+$/.test(rest[0] ?? '') ? Number(rest[0]) : null;
  if (count !== null) rest.shift();
  return count;
}

function claimOf(rest: string[], asset: ScenarioAsset, count: number | null, start: Start): Claim {
  const [first = '', ...more] = rest;
  if (isFactType(first, false)) return factClaim(first, more, count, start, false);
  if (first === 'refused') return refusedClaim(more, count);
  if (count !== null) return factClaim(first, more, count, start, false);
  if (first === 'state') return stateClaim(asset, more, start);
  if (first === 'states') return statesClaim(asset, more.join(' '));
  if (first === 'value') return valueClaim(asset, more);
  if (first === 'counts') return { is: 'counts', counts: more.map(countOf) };
  const compared = comparison(first);
  if (compared?.name === 'status') return { is: 'status', status: unquoted(compared.value) };
  if (compared?.name === 'derates') return { is: 'derates', causes: listItems(compared.value) ?? [] };
  if (first === '' || compared !== null) throw new Misreading(`what is expected? ${FORMS}`);
  return factClaim(first, more, count, start, false);
}

function factClaim(name: string, rest: readonly string[], count: number | null, start: Start, place: boolean): Claim {
  const type = factNamed(name, place);
  const where = rest.map((text) => {
    const compared = comparison(text);
    if (compared === null) throw new Misreading(`"${text}" compares nothing: write column=value`);
    return columnCondition(columnNamed(type, compared.name), compared.operator, compared.value, start);
  });
  return { is: 'fact', type, where, count };
}

function refusedClaim(rest: readonly string[], count: number | null): Claim {
  if (rest.length !== 1) throw new Misreading('write expect refused REASON, or expect N refused REASON');
  return { is: 'refused', reason: reasonNamed(rest[0]), count };
}

function stateClaim(asset: ScenarioAsset, rest: readonly string[], start: Start): Claim {
  const compared = comparison(rest[0] ?? '');
  if (compared === null || compared.operator !== '=') throw new Misreading('write expect state REGION=STATE [at TIME]');
  const region = regionNamed(kindNamed(asset.kind), compared.name);
  const state = stateNamed(region, unquoted(compared.value));
  if (rest.length === 1) return { is: 'state', region: region.name, state, at: null };
  if (rest[1] !== 'at' || rest.length !== 3) throw new Misreading('after the state comes at TIME, or nothing');
  return { is: 'state', region: region.name, state, at: parseTime(rest[2], start) };
}

function statesClaim(asset: ScenarioAsset, text: string): Claim {
  const match = /^(\w+):?\s+(.+)$/.exec(text);
  if (match === null) throw new Misreading('write expect states REGION: A > B > C');
  const region = regionNamed(kindNamed(asset.kind), match[1]);
  const path = match[2].split('>').map((state) => stateNamed(region, state.trim()));
  return { is: 'states', region: region.name, path };
}

function valueClaim(asset: ScenarioAsset, rest: readonly string[]): Claim {
  const compared = comparison((rest[0] ?? '').replace(/^\?/, ''));
  if (compared === null || rest.length !== 1) throw new Misreading('write expect value FIELD=VALUE');
  const { name, operator, value } = compared;
  const field = kindNamed(asset.kind).fields.find((f) => f.name === name) ?? null;
  if (field === null && !rest[0].startsWith('?')) {
    throw new Misreading(`a ${asset.kind} has no field ${name} (write ?${name} for one that no declaration names)`);
  }
  return { is: 'value', condition: fieldCondition(field, name, operator, value) };
}

function countOf(text: string) {
  const compared = comparison(text);
  if (compared === null || !COUNTS.includes(compared.name)) {
    throw new Misreading(`"${text}": counts are ${COUNTS.join(', ')}, for instance late=1`);
  }
  return countCondition(compared.name, compared.operator, compared.value);
}
