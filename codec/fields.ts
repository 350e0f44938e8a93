import type { Reading } from '../runtime/shard/reading.ts';
import { normaliseAlerts } from './alerts.ts';
import {
  MAX_LIST_ITEM_CHARS,
  MAX_LIST_ITEMS,
  MAX_TEXT_CHARS,
  MAX_UNKNOWN_FIELDS,
  MAX_UNKNOWN_NAME_CHARS,
  MAX_UNKNOWN_TEXT_CHARS,
} from './limits.ts';
import { readMeterValues } from './meter-values.ts';
import { numberOf } from './number.ts';
import type { KindPlan } from './plan.ts';
import * as P from './problems.ts';

/** Name and value of what has no place among the numbers. */
export type Extra = [name: string, value: unknown];

/**
 * Puts one parsed value into the reading: what each field type accepts is defined here and nowhere else.
 * Problems are added to `problems`, one counter per code.
 */
export function putField(plan: KindPlan, field: number, value: unknown, reading: Reading, problems: Int32Array): void {
  const bit = 1 << field;
  reading.present |= bit;
  reading.values[field] = 0;
  const problem = value === null ? P.INVALID_REPORTED : putValue(plan, field, value, reading, problems);
  if (problem < 0) return;
  reading.invalid |= bit;
  problems[problem]++;
}

/** The problem with the value, or -1. */
function putValue(plan: KindPlan, field: number, value: unknown, reading: Reading, problems: Int32Array): number {
  switch (plan.specs[field].type) {
    case 'number': {
      const number = plan.specs[field].numericText === true ? numberOf(value) : value;
      return typeof number === 'number' ? putNumber(plan, field, number, reading) : P.WRONG_TYPE;
    }
    case 'bool':
      if (typeof value !== 'boolean') return P.WRONG_TYPE;
      reading.values[field] = value ? 1 : 0;
      return -1;
    case 'enum':
      if (typeof value === 'number') return putCode(plan, field, value, reading);
      return typeof value === 'string' ? putWord(plan, field, value, reading) : P.WRONG_TYPE;
    case 'text':
      if (typeof value !== 'string' || value.length > MAX_TEXT_CHARS) return P.WRONG_TYPE;
      pushExtra(reading, plan.specs[field].name, value.toWellFormed());
      return -1;
    case 'list':
      if (!isTextList(value)) return P.WRONG_TYPE;
      pushExtra(
        reading,
        plan.specs[field].name,
        value.map((item) => item.toWellFormed()),
      );
      return -1;
    case 'alerts': {
      const alerts = normaliseAlerts(value, problems);
      if (alerts === null) return P.WRONG_TYPE;
      pushExtra(reading, plan.specs[field].name, alerts);
      return -1;
    }
    case 'meterValues':
      return putMeterValues(plan, value, reading, problems) ? -1 : P.WRONG_TYPE;
  }
}

function putNumber(plan: KindPlan, field: number, value: number, reading: Reading): number {
  if (plan.sentinels[field]?.includes(value)) return P.SENTINEL;
  if (!(value >= plan.min[field] && value <= plan.max[field])) return P.OUT_OF_RANGE;
  reading.values[field] = value + 0; // -0 becomes 0
  return -1;
}

function putWord(plan: KindPlan, field: number, value: string, reading: Reading): number {
  const index = plan.wordIndex[field]?.get(value);
  if (index !== undefined) {
    reading.values[field] = index;
    return -1;
  }
  if (value.length > MAX_TEXT_CHARS) return P.WRONG_TYPE;
  pushExtra(reading, plan.specs[field].name, value.toWellFormed());
  return P.UNKNOWN_WORD;
}

/** A word by the number that its upstream gives it. */
function putCode(plan: KindPlan, field: number, value: number, reading: Reading): number {
  const { codes } = plan.specs[field];
  if (codes === undefined) return P.WRONG_TYPE;
  const index = codes.indexOf(value);
  if (index < 0) return P.OUT_OF_RANGE;
  reading.values[field] = index;
  return -1;
}

function isTextList(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_LIST_ITEMS &&
    value.every((item) => typeof item === 'string' && item.length <= MAX_LIST_ITEM_CHARS)
  );
}

/** Fills the fields that sampled values measure, unless the record names them itself; false where it is no list of such. */
function putMeterValues(plan: KindPlan, value: unknown, reading: Reading, problems: Int32Array): boolean {
  const sampled = readMeterValues(value);
  if (sampled === null) return false;
  for (const [name, number] of sampled.fields) {
    const field = plan.indexOf.get(name);
    if (field === undefined) problems[P.UNKNOWN_FIELD_DROPPED]++;
    else if (((reading.present >>> field) & 1) === 0) putField(plan, field, number, reading, problems);
  }
  let kept = 0;
  for (const [name, text] of sampled.unknown) {
    const isTaken = plan.indexOf.has(name) || reading.extra?.some((extra) => extra[0] === name) === true;
    if (text === undefined) problems[P.WRONG_TYPE]++;
    else if (isTaken || kept === MAX_UNKNOWN_FIELDS || !isUnknownName(name)) problems[P.UNKNOWN_FIELD_DROPPED]++;
    else {
      kept++;
      pushUnknown(name, text, reading, problems);
    }
  }
  return true;
}

/** Keeps the fields that the kind does not have: the first 32 by name, each as its JSON text. */
export function putUnknown(
  names: string[],
  fields: Record<string, unknown>,
  reading: Reading,
  problems: Int32Array,
): void {
  let kept = 0;
  for (const name of names.sort(compareText)) {
    if (kept === MAX_UNKNOWN_FIELDS || !isUnknownName(name)) problems[P.UNKNOWN_FIELD_DROPPED]++;
    else {
      kept++;
      pushUnknown(name, fields[name], reading, problems);
    }
  }
}

export const isUnknownName = (name: string) => name.length <= MAX_UNKNOWN_NAME_CHARS && name.isWellFormed();

/** Keeps one unknown field as its JSON text, cut at 1024 characters. */
export function pushUnknown(name: string, value: unknown, reading: Reading, problems: Int32Array): void {
  problems[P.UNKNOWN_FIELD]++;
  const text = JSON.stringify(value);
  const cut = text.length > MAX_UNKNOWN_TEXT_CHARS ? text.slice(0, MAX_UNKNOWN_TEXT_CHARS).toWellFormed() : text;
  pushExtra(reading, name, cut);
}

export function pushExtra(reading: Reading, name: string, value: unknown): void {
  if (reading.extra === null) reading.extra = [[name, value]];
  else reading.extra.push([name, value]);
}

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const compareExtra = (a: Extra, b: Extra) => compareText(a[0], b[0]);

/** Once all fields are in: ascending order of extras, and the place among readings of the same time. */
export function finishFields(plan: KindPlan, reading: Reading): void {
  if (reading.extra !== null && reading.extra.length > 1) reading.extra.sort(compareExtra);
  const valid = reading.present & ~reading.invalid;
  if (plan.seqNo >= 0 && ((valid >>> plan.seqNo) & 1) !== 0) {
    const seqNo = reading.values[plan.seqNo];
    if (Number.isSafeInteger(seqNo) && seqNo >= 0) reading.seqNo = seqNo;
  }
  if (plan.sessionEvent >= 0 && ((valid >>> plan.sessionEvent) & 1) !== 0) rankEvent(plan, reading);
}

/** Of readings with the same time and number the end of a session goes before the start of the next one. */
function rankEvent(plan: KindPlan, reading: Reading): void {
  const rank = plan.eventRank[reading.values[plan.sessionEvent]];
  if (rank > 0) reading.seqNo = Math.max(0, reading.seqNo) + rank / 4;
}
