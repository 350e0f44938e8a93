import type { FieldType } from '../../runtime/shard/reading.ts';
import { SEVERITIES } from '../alerts.ts';
import { type DataPart, LIFECYCLE_TYPES } from '../lifecycle-data.ts';
import type { DecodedKind } from '../plan.ts';
import { type Numbers, withNewNames } from './numbers.ts';

/** What records consist of in binary formats; the schemas of all of them are printed from this. */
export interface Declaration {
  readonly kinds: readonly DeclaredKind[];
  readonly severities: readonly DeclaredWord[];
  readonly lifecycle: readonly DeclaredPart[];
}

export interface DeclaredKind {
  /** As records name it, for instance `powerwall`. */
  readonly name: string;
  readonly number: number;
  /** In ascending order of number. */
  readonly fields: readonly DeclaredField[];
}

export interface DeclaredField {
  readonly name: string;
  readonly number: number;
  /** Null: the kind had such a field and has it no more. */
  readonly type: FieldType | null;
  readonly doc: string;
  /** Of an enum, in ascending order of number. */
  readonly words: readonly DeclaredWord[];
}

export interface DeclaredWord {
  readonly word: string;
  /** The word as a name that every schema language takes. */
  readonly symbol: string;
  readonly number: number;
}

export interface DeclaredPart {
  readonly name: string;
  readonly number: number;
  readonly type: 'text' | 'number' | 'bool' | 'list' | null;
  readonly doc: string;
}

/** Numbers beside those of fields: fields reported as invalid, and values that the schema has no place for. */
export const INVALID = 1000;
export const OTHER = 1001;

/** The declaration of these kinds; names that `numbers` does not have get new numbers. */
export function declare(kinds: readonly DecodedKind[], numbers: Numbers): Declaration {
  const all = withNewNames(numbers, kinds);
  return {
    kinds: kinds.map((kind) => declareKind(kind, all)).sort(byNumber),
    severities: declareWords(Object.fromEntries(SEVERITIES.map((word, i) => [word, i + 1]))),
    lifecycle: declareParts(all),
  };
}

function declareKind({ name, fields }: DecodedKind, numbers: Numbers): DeclaredKind {
  const specs = new Map(fields.map((spec) => [spec.name, spec]));
  const declared = Object.entries(numbers.fields[name]).map(([field, number]): DeclaredField => {
    const spec = specs.get(field);
    const doc = spec === undefined ? '' : `${spec.doc}${spec.unit ? `, ${spec.unit}` : ''}`;
    const words = spec?.type === 'enum' ? declareWords(numbers.words[`${name}.${field}`]) : [];
    return { name: field, number, type: spec?.type ?? null, doc, words };
  });
  return { name, number: numbers.kinds[name], fields: declared.sort(byNumber) };
}

function declareWords(words: Readonly<Record<string, number>>): DeclaredWord[] {
  return Object.entries(words)
    .map(([word, number]) => ({ word, number, symbol: symbolOf(word) }))
    .sort(byNumber);
}

/** `a-b c` becomes `a_b_c`, the empty word `_`. */
export function symbolOf(word: string): string {
  const symbol = word.replace(/[^A-Za-z0-9_]/g, '_');
  return /^[A-Za-z_]/.test(symbol) ? symbol : `_${symbol}`;
}

const PART_TYPES: Readonly<Record<DataPart['shape'], DeclaredPart['type']>> = {
  label: 'text',
  text: 'text',
  zone: 'text',
  serial: 'text',
  type: 'text',
  amount: 'number',
  cadence: 'number',
  flag: 'bool',
  list: 'list',
};

function declareParts(numbers: Numbers): DeclaredPart[] {
  const known = new Map([...LIFECYCLE_TYPES.values()].flatMap(({ data }) => Object.entries(data)));
  return Object.entries(numbers.lifecycle)
    .map(([name, number]) => {
      const part = known.get(name);
      return { name, number, type: part === undefined ? null : PART_TYPES[part.shape], doc: part?.doc ?? '' };
    })
    .sort(byNumber);
}

const byNumber = (a: { readonly number: number }, b: { readonly number: number }) => a.number - b.number;

/** Name of a type in schemas: `powerwall` becomes `Powerwall`, `gridStatus` `GridStatus`. */
export const typeName = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** `energyOutWh` becomes `energy_out_wh`, as Protobuf and FlatBuffers write names. */
export const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

/** And back. */
export const camelCase = (name: string): string => name.replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase());
