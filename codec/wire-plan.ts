import { type DecodedKind, KindPlan } from './plan.ts';
import { symbolOf } from './schema/declaration.ts';
import { NUMBERS, type Numbers, withNewNames } from './schema/numbers.ts';

/** A kind's plan with the numbers that binary formats write instead of names. */
export class WirePlan {
  readonly kind: KindPlan;
  /** Of the kind. */
  readonly number: number;
  /** Field by number; -1 where the kind has none of that number. */
  readonly fieldOf: Int16Array;
  /** Number by field. */
  readonly numberOf: Uint16Array;
  /** Of an enum: word by number; -1 where the kind does not have it. */
  readonly wordOf: readonly (Int16Array | null)[];
  /** Of an enum: number by word. */
  readonly wordNumberOf: readonly (Uint16Array | null)[];
  private readonly words: readonly (ReadonlyMap<number, string> | null)[];
  private readonly symbols: readonly (ReadonlyMap<string, string> | null)[];

  constructor(kind: KindPlan, numbers: Numbers) {
    const numbered = numbers.fields[kind.name];
    this.kind = kind;
    this.number = numbers.kinds[kind.name];
    this.numberOf = Uint16Array.from(kind.specs, ({ name }) => numbered[name]);
    this.fieldOf = inverse(this.numberOf);
    this.wordNumberOf = kind.specs.map(({ name, type, words }) => {
      const given = numbers.words[`${kind.name}.${name}`];
      return type === 'enum' ? Uint16Array.from(words ?? [], (word) => given[word]) : null;
    });
    this.wordOf = this.wordNumberOf.map((list) => (list === null ? null : inverse(list)));
    this.words = kind.specs.map(({ name, type }) =>
      type === 'enum'
        ? new Map(Object.entries(numbers.words[`${kind.name}.${name}`]).map(([word, number]) => [number, word]))
        : null,
    );
    this.symbols = this.words.map((words) =>
      words === null
        ? null
        : new Map(
            [...words.values()].flatMap((word) => [
              [symbolOf(word), word],
              [word, word],
            ]),
          ),
    );
  }

  /** The word that ever had this number. */
  wordNamed(field: number, number: number): string | undefined {
    return this.words[field]?.get(number);
  }

  /** The word that a schema writes as this symbol; a symbol that the kind does not have is its own word. */
  wordOfSymbol(field: number, symbol: string): string {
    return this.symbols[field]?.get(symbol) ?? symbol;
  }

  /** Word by index of a schema's symbol; -1 where the kind does not have it. */
  wordsOfSymbols(field: number, symbols: readonly string[]): Int16Array {
    return Int16Array.from(
      symbols,
      (symbol) => this.kind.wordIndex[field]?.get(this.wordOfSymbol(field, symbol)) ?? -1,
    );
  }
}

function inverse(numbers: Uint16Array): Int16Array {
  const of = new Int16Array(Math.max(0, ...numbers) + 1).fill(-1);
  numbers.forEach((number, index) => {
    of[number] = index;
  });
  return of;
}

/** Plans of all kinds, by index. Kinds and fields without a committed number get the next ones. */
export function wirePlans(
  kinds: readonly DecodedKind[],
  plans: readonly KindPlan[] = kinds.map((kind) => new KindPlan(kind)),
): WirePlan[] {
  const numbers = withNewNames(NUMBERS, kinds);
  return plans.map((plan) => new WirePlan(plan, numbers));
}
