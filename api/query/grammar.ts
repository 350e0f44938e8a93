import { GridfoldError } from '../../runtime/kernel/errors.ts';

/** A literal: its value, and the text as it was written (a bare word may be meant as text or as a number). */
export interface Literal {
  readonly value: string | number | boolean | null;
  readonly raw: string;
}

export type Comparison = 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le';

/** `at` is the place of the field in the text, for messages. */
export type Expression =
  | { readonly op: 'and' | 'or'; readonly parts: readonly Expression[] }
  | { readonly op: 'not'; readonly part: Expression }
  | { readonly op: Comparison; readonly field: string; readonly value: Literal; readonly at: number }
  | { readonly op: 'in'; readonly field: string; readonly values: readonly Literal[]; readonly at: number }
  | { readonly op: 'like'; readonly field: string; readonly pattern: string; readonly at: number };

/** Bounds of one filter; more is refused before anything is compiled. */
export const filterLimits = { characters: 2_000, depth: 16, terms: 100 } as const;

const operators = new Set(['and', 'or', 'not', 'eq', 'ne', 'gt', 'ge', 'lt', 'le', 'in', 'like']);
const word = /[\w.:@%*+/-]+/y;
const quoted = /"(?:[^"\\]|\\.)*"/y;

/**
 * Parses `and(eq(kind,powerwall),gt(values.soc,0.9))`. Literals are JSON strings, numbers, `true`, `false`, `null`,
 * or bare words. Throws `filter_syntax`; its message begins with the place in the text.
 */
export function parseFilter(text: string): Expression {
  if (text.length > filterLimits.characters) {
    throw syntax(0, `a filter has at most ${filterLimits.characters} characters`);
  }
  return new Parser(text).whole();
}

class Parser {
  readonly #text: string;
  #at = 0;
  #terms = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Expression {
    const expression = this.#expression(1);
    this.#space();
    if (this.#at < this.#text.length) throw syntax(this.#at, 'the filter should end here');
    return expression;
  }

  #expression(depth: number): Expression {
    const start = this.#start();
    const op = this.#word('an operator such as eq(…) or and(…)');
    if (!operators.has(op)) throw syntax(start, `unknown operator ${JSON.stringify(op.slice(0, 40))}`);
    this.#terms += 1;
    if (depth > filterLimits.depth) throw syntax(start, `at most ${filterLimits.depth} levels`);
    if (this.#terms > filterLimits.terms) throw syntax(start, `at most ${filterLimits.terms} terms`);
    this.#take('(');
    const expression = this.#operands(op, depth);
    this.#take(')');
    return expression;
  }

  #operands(op: string, depth: number): Expression {
    if (op === 'and' || op === 'or') {
      const parts = [this.#expression(depth + 1)];
      while (this.#peek(',')) parts.push(this.#expression(depth + 1));
      return { op, parts };
    }
    if (op === 'not') return { op, part: this.#expression(depth + 1) };
    const at = this.#start();
    const field = this.#word('a field');
    this.#take(',');
    if (op === 'in') return { op, field, values: this.#list(), at };
    if (op === 'like') return { op, field, pattern: this.#literal().raw, at };
    return { op: op as Comparison, field, value: this.#literal(), at };
  }

  /** `(a,b)` or `a,b` up to the closing bracket of `in`. */
  #list(): Literal[] {
    const bracket = this.#peek('(');
    const values = [this.#literal()];
    while (this.#peek(',')) {
      if (values.length >= filterLimits.terms) throw syntax(this.#at, `at most ${filterLimits.terms} values`);
      values.push(this.#literal());
    }
    if (bracket) this.#take(')');
    return values;
  }

  #literal(): Literal {
    const start = this.#start();
    if (this.#text[start] === '"') {
      const raw = this.#match(quoted);
      if (raw === undefined) throw syntax(start, 'the string does not end');
      try {
        const value = JSON.parse(raw) as string;
        return { value, raw: value };
      } catch {
        throw syntax(start, 'not a JSON string');
      }
    }
    const raw = this.#word('a value');
    if (raw === 'true' || raw === 'false') return { value: raw === 'true', raw };
    if (raw === 'null') return { value: null, raw };
    const number = Number(raw);
    return { value: Number.isFinite(number) ? number : raw, raw };
  }

  #word(what: string): string {
    const start = this.#start();
    const found = this.#match(word);
    if (found === undefined) throw syntax(start, `expected ${what}`);
    return found;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #take(sign: string): void {
    if (!this.#peek(sign)) throw syntax(this.#at, `expected ${JSON.stringify(sign)}`);
  }

  #peek(sign: string): boolean {
    if (this.#text[this.#start()] !== sign) return false;
    this.#at += 1;
    return true;
  }

  #start(): number {
    this.#space();
    return this.#at;
  }

  #space(): void {
    while (this.#text[this.#at] === ' ') this.#at += 1;
  }
}

function syntax(at: number, message: string): GridfoldError {
  return new GridfoldError('filter_syntax', 'fix-configuration', `at ${at}: ${message}`);
}
