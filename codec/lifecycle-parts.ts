import type { JsonObject } from './document.ts';
import { millisecondsOf } from './encode-parts.ts';
import { type DeclaredPart, declare } from './schema/declaration.ts';
import { NUMBERS } from './schema/numbers.ts';
import { bare, otherValue } from './wire-document.ts';

/** A lifecycle record as JSON knows it. Times are RFC 3339 with an offset, or epoch milliseconds. */
export interface LifecycleDocument {
  readonly id: string;
  readonly serial: string;
  readonly kind: string;
  readonly type: string;
  readonly eventTime: string | number;
  readonly recordTime?: string | number | null;
  readonly source?: string | null;
  readonly data?: Readonly<Record<string, unknown>> | null;
}

/** Parts of the data that have a place of their own in binary formats, in ascending order of number. */
export const PARTS: readonly DeclaredPart[] = declare([], NUMBERS).lifecycle;
export const PART_NUMBERED: ReadonlyMap<number, DeclaredPart> = new Map(PARTS.map((part) => [part.number, part]));
const PART_NAMED: ReadonlyMap<string, DeclaredPart> = new Map(PARTS.map((part) => [part.name, part]));

/** Texts of the record's head, with their numbers in binary formats. */
export const HEAD_TEXTS = [
  ['id', 1],
  ['serial', 2],
  ['kind', 3],
  ['type', 4],
  ['source', 7],
] as const;
export const EVENT_TIME = 5;
export const RECORD_TIME = 6;
export const DATA = 8;

export interface TypedPart {
  readonly part: DeclaredPart;
  readonly value: string | number | boolean | readonly string[];
}

export interface EncodedLifecycle {
  readonly eventTime: number | null;
  readonly recordTime: number | null;
  /** In ascending order of number; null where the record has no data. */
  readonly typed: readonly TypedPart[] | null;
  /** What has no place of its own, or does not fit it: JSON text by name. */
  readonly other: readonly (readonly [name: string, text: string])[];
}

/** A record's times and data as binary formats hold them. */
export function encodeLifecycleParts({ eventTime, recordTime, data }: LifecycleDocument): EncodedLifecycle {
  const typed: TypedPart[] = [];
  const other: [string, string][] = [];
  for (const [name, value] of Object.entries(data ?? {})) {
    if (value === undefined) continue;
    const part = PART_NAMED.get(name);
    if (part !== undefined && fits(part, value)) typed.push({ part, value: value as TypedPart['value'] });
    else other.push([name, JSON.stringify(value)]);
  }
  typed.sort((a, b) => a.part.number - b.part.number);
  return {
    eventTime: millisecondsOf(eventTime),
    recordTime: millisecondsOf(recordTime),
    typed: data === undefined || data === null ? null : typed,
    other,
  };
}

const isText = (value: unknown) => typeof value === 'string' && value.isWellFormed();

function fits({ type }: DeclaredPart, value: unknown): boolean {
  switch (type) {
    case 'text':
      return isText(value);
    case 'number':
      return typeof value === 'number';
    case 'bool':
      return typeof value === 'boolean';
    case 'list':
      return Array.isArray(value) && value.every(isText);
    case null:
      return false;
  }
}

/** Collects the parts of a record's data; every name is only a key. Values that are JSON text may be refused. */
export class DataCollector {
  private readonly parts: JsonObject = bare();

  put(name: string, value: unknown): void {
    if (value !== undefined && value !== null) this.parts[name] = value;
  }

  putOther(name: string, text: string): void {
    this.parts[name] = otherValue(text, 2);
  }

  /** The data as a parser of JSON would make it. */
  data(): JsonObject {
    return { ...this.parts };
  }
}
