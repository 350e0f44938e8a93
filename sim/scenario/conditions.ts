import type { DerivedColumn } from '../../runtime/shard/derived.ts';
import type { FieldSpec } from '../../runtime/shard/reading.ts';
import { type Condition, Misreading, type Operator } from './script.ts';
import { parseTime, type Start } from './time.ts';
import { guess } from './values.ts';
import { unquoted } from './words.ts';

const COMPARISON = /^([A-Za-z_]\w*)(=|!=|<=|>=|<|>)(.*)$/s;
/** Sums of many small amounts differ in their last digits. */
const NEAR = 1e-6;

/** Name, operator and value of `closedTime>=+5m`; null when the word compares nothing. */
export function comparison(text: string): { name: string; operator: Operator; value: string } | null {
  const match = COMPARISON.exec(text);
  return match === null ? null : { name: match[1], operator: match[2] as Operator, value: match[3] };
}

/** What a column of a fact must be, in the terms of its type. */
export function columnCondition(column: DerivedColumn, operator: Operator, raw: string, start: Start): Condition {
  const base = { name: column.name, operator, text: `${column.name}${operator}${raw}` };
  if (raw === 'null') return { ...base, value: null, tolerance: 0 };
  if (column.type === 'time') return { ...base, value: parseTime(raw, start), tolerance: 0 };
  if (column.type === 'text') return { ...base, value: unquoted(raw), tolerance: 0 };
  if (column.type === 'json') return { ...base, value: guess(raw), tolerance: 0 };
  if (column.type === 'boolean') return { ...base, value: bool(column.name, raw), tolerance: 0 };
  return { ...base, ...amount(column.name, raw) };
}

/** What the newest value of a field must be. */
export function fieldCondition(field: FieldSpec | null, name: string, operator: Operator, raw: string): Condition {
  const base = { name, operator, text: `${name}${operator}${raw}` };
  if (raw === 'null') return { ...base, value: null, tolerance: 0 };
  if (field?.type === 'number') return { ...base, ...amount(name, raw) };
  if (field?.type === 'text' || field?.type === 'enum') return { ...base, value: unquoted(raw), tolerance: 0 };
  return { ...base, value: guess(raw), tolerance: 0 };
}

/** A number of things, for instance of late readings. */
export function countCondition(name: string, operator: Operator, raw: string): Condition {
  return { name, operator, text: `${name}${operator}${raw}`, ...amount(name, raw) };
}

function bool(name: string, raw: string): boolean {
  if (raw === 'true' || raw === 'false') return raw === 'true';
  throw new Misreading(`${name} is true, false or null, not "${raw}"`);
}

/** `12`, or `12+-0.5` (also `12±0.5`). */
function amount(name: string, raw: string): { value: number; tolerance: number } {
  const [middle, off] = raw.split(/±|\+-/);
  const value = middle === '' ? Number.NaN : Number(middle);
  const tolerance = off === undefined ? NEAR * Math.max(1, Math.abs(value)) : Number(off);
  if (Number.isFinite(value) && Number.isFinite(tolerance)) return { value, tolerance };
  throw new Misreading(`${name} is a number: write ${name}=12 or ${name}=12+-0.5, not "${raw}"`);
}

/** Whether a value is what the condition wants. Times and numbers have an order, the rest only equality. */
export function holds({ operator, value, tolerance }: Condition, actual: unknown): boolean {
  if (typeof value === 'number' && typeof actual === 'number') {
    const off = actual - value;
    if (operator === '=') return Math.abs(off) <= tolerance;
    if (operator === '!=') return Math.abs(off) > tolerance;
    if (operator === '<') return off < -tolerance;
    if (operator === '<=') return off <= tolerance;
    return operator === '>' ? off > tolerance : off >= -tolerance;
  }
  const same = actual === value || JSON.stringify(actual) === JSON.stringify(value);
  return operator === '=' ? same : operator === '!=' && !same;
}
