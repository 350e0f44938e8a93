import { readFileSync } from 'node:fs';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { LIFECYCLE_TYPES } from '../lifecycle-data.ts';
import type { DecodedKind } from '../plan.ts';

type Numbered = Readonly<Record<string, number>>;

/**
 * The numbers that stand for names in binary formats. They are fixed for ever: a name keeps its number, also when it is
 * gone from the field lists, and no number is given twice.
 */
export interface Numbers {
  /** Place of a kind's fields in a telemetry record, from 8 on. */
  readonly kinds: Numbered;
  /** By kind, from 1 on. */
  readonly fields: Readonly<Record<string, Numbered>>;
  /** By `kind.field`, from 1 on; 0 stands for no word. */
  readonly words: Readonly<Record<string, Numbered>>;
  /** Parts of a lifecycle record's data, from 1 on. */
  readonly lifecycle: Numbered;
}

/** First number of a kind. Those before it are the record's own parts. */
export const FIRST_KIND = 8;

/** The numbers that were given out, as `numbers.json` keeps them. */
export const NUMBERS = JSON.parse(readFileSync(new URL('numbers.json', import.meta.url), 'utf8')) as Numbers;

/** The same, with numbers for the names that have none yet. */
export function withNewNames(numbers: Numbers, kinds: readonly DecodedKind[]): Numbers {
  const enums = kinds.flatMap(({ name, fields }) =>
    fields.flatMap((spec) => (spec.type === 'enum' ? [[`${name}.${spec.name}`, spec.words ?? []] as const] : [])),
  );
  const parts = [...LIFECYCLE_TYPES.values()].flatMap(({ data }) => Object.keys(data));
  return {
    kinds: extended(numbers.kinds, names(kinds), FIRST_KIND),
    fields: {
      ...numbers.fields,
      ...Object.fromEntries(
        kinds.map(({ name, fields }) => [name, extended(numbers.fields[name] ?? {}, names(fields), 1)]),
      ),
    },
    words: {
      ...numbers.words,
      ...Object.fromEntries(enums.map(([path, words]) => [path, extended(numbers.words[path] ?? {}, words, 1)])),
    },
    lifecycle: extended(numbers.lifecycle, parts, 1),
  };
}

const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);

function extended(given: Numbered, wanted: readonly string[], first: number): Numbered {
  const all = { ...given };
  let next = Math.max(first - 1, ...Object.values(given)) + 1;
  for (const name of wanted) if (!Object.hasOwn(all, name)) all[name] = next++;
  return all;
}

/** Throws `codec_number_changed` where `now` gives a name of `before` another number or none, or a number to two names. */
export function checkNumbers(before: Numbers, now: Numbers): void {
  const lists: [string, Numbered, Numbered][] = [
    ['kinds', before.kinds, now.kinds],
    ['lifecycle', before.lifecycle, now.lifecycle],
    ...pairs('fields', before.fields, now.fields),
    ...pairs('words', before.words, now.words),
  ];
  for (const [where, old, current] of lists) {
    for (const [name, number] of Object.entries(old)) {
      if (current[name] !== number)
        throw changed(`${where}: "${name}" had number ${number} and has ${current[name] ?? 'none'}`);
    }
    if (new Set(Object.values(current)).size !== Object.keys(current).length)
      throw changed(`${where}: a number stands for two names`);
  }
}

function pairs(
  what: string,
  before: Readonly<Record<string, Numbered>>,
  now: Readonly<Record<string, Numbered>>,
): [string, Numbered, Numbered][] {
  const keys = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...keys].map((key) => [`${what} of ${key}`, before[key] ?? {}, now[key] ?? {}]);
}

const changed = (why: string) =>
  new GridfoldError('codec_number_changed', 'stop', `${why}. Numbers are fixed for ever: give new names new numbers.`);
