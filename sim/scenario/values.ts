import { SEVERITIES } from '../../codec/alerts.ts';
import type { DataPart } from '../../codec/lifecycle-data.ts';
import type { FieldSpec } from '../../runtime/shard/reading.ts';
import { Misreading } from './script.ts';
import { parseTime, type Start } from './time.ts';
import { listItems, unquoted, words } from './words.ts';

/** A value, which may run from the first to the last reading of an `every` line. */
export type Value = (share: number) => unknown;

const constant =
  (value: unknown): Value =>
  () =>
    value;
const RAMP = /^(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)$/;

/** The value of a field as a device would report it. `?` before it lets anything pass, for reports that are wrong. */
export function fieldValue(field: FieldSpec, text: string, start: Start): Value {
  if (text === 'null') return constant(null);
  if (text.startsWith('?')) return constant(guess(text.slice(1)));
  if (text.startsWith('{') || text.startsWith('[{')) return constant(json(text));
  if (field.type === 'number') return numeric(field.name, text);
  if (field.type === 'bool') return constant(truth(field.name, text));
  if (field.type === 'text') return constant(unquoted(text));
  if (field.type === 'enum') return constant(word(field, unquoted(text)));
  const items = listItems(text);
  if (items === null) throw new Misreading(`${field.name} is a list: write ${field.name}=[A, B] or ${field.name}=[]`);
  return constant(field.type === 'alerts' ? items.map((item) => alert(item, start)) : items.map(unquoted));
}

function numeric(name: string, text: string): Value {
  const ramp = RAMP.exec(text);
  if (ramp !== null) {
    const [from, to] = [Number(ramp[1]), Number(ramp[2])];
    return (share) => Math.round((from + (to - from) * share) * 1e6) / 1e6;
  }
  return constant(number(name, text));
}

function number(name: string, text: string): number {
  const value = text === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new Misreading(`${name} is a number, not "${text}" (write ?${text} to report it all the same)`);
}

function truth(name: string, text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new Misreading(`${name} is true or false, not "${text}"`);
}

function word(field: FieldSpec, text: string): string {
  const valid = field.words ?? [];
  if (valid.includes(text)) return text;
  const list = valid.map((one) => (one === '' ? '""' : one)).join(', ');
  throw new Misreading(`${field.name} is one of ${list}; not "${text}" (write ?${text} to report it all the same)`);
}

/** `Name severity from TIME to TIME`; all but the name may be missing. */
function alert(text: string, start: Start): object {
  const [name, ...rest] = words(text);
  const said: Record<string, string> = { name: unquoted(name) };
  while (rest.length > 0) {
    const next = rest.shift() as string;
    if ((SEVERITIES as readonly string[]).includes(next)) said.severity = next;
    else if (next === 'from') said.startedAt = instant(rest.shift(), start);
    else if (next === 'to') said.endedAt = instant(rest.shift(), start);
    else
      throw new Misreading(`"${next}" in an alert: after its name come ${SEVERITIES.join(', ')}, from TIME, to TIME`);
  }
  return said;
}

function instant(text: string | undefined, start: Start): string {
  if (text === undefined) throw new Misreading('a time is missing after from or to');
  return new Date(parseTime(text, start)).toISOString();
}

/** A part of the data of a lifecycle record. */
export function lifecycleValue(name: string, part: DataPart, text: string): unknown {
  if (text === 'null') return null;
  if (text.startsWith('?')) return guess(text.slice(1));
  if (part.shape === 'amount' || part.shape === 'cadence') return number(name, text);
  if (part.shape === 'flag' && (text === 'true' || text === 'false')) return text === 'true';
  if (part.shape !== 'list') return unquoted(text);
  const items = listItems(text);
  if (items === null) throw new Misreading(`${name} is a list: write ${name}=[A, B]`);
  return items.map(unquoted);
}

/** A value of something that no declaration describes. */
export function guess(text: string): unknown {
  if (text === 'null' || text === '') return text === '' ? '' : null;
  if (text === 'true' || text === 'false') return text === 'true';
  if (Number.isFinite(Number(text))) return Number(text);
  if (text.startsWith('{') || text.startsWith('[{')) return json(text);
  return listItems(text)?.map(guess) ?? unquoted(text);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Misreading(`${text} is no JSON`);
  }
}
