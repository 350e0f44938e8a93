import type { FieldValue } from '../record.ts';

const REPEAT_MS = 3_600_000;

/** What an asset has told of the fields that rarely change. */
export interface ToldFields {
  readonly values: Readonly<Record<string, FieldValue>>;
  /** When all of them were told, epoch milliseconds. */
  readonly toldAt: number;
}

export const nothingTold: ToldFields = { values: {}, toldAt: 0 };

/** The fields worth telling now: those that changed, or all of them once an hour. */
export function changedFields(
  told: ToldFields,
  now: Readonly<Record<string, FieldValue>>,
  time: number,
): { fields: Record<string, FieldValue>; told: ToldFields } {
  const isRepeat = time - told.toldAt >= REPEAT_MS;
  const fields: Record<string, FieldValue> = {};
  for (const [name, value] of Object.entries(now)) {
    if (isRepeat || !isSame(told.values[name], value)) fields[name] = value;
  }
  return { fields, told: { values: now, toldAt: isRepeat ? time : told.toldAt } };
}

function isSame(a: FieldValue | undefined, b: FieldValue): boolean {
  if (typeof b !== 'object' || b === null) return a === b;
  return JSON.stringify(a) === JSON.stringify(b);
}
