import { invalidSchema } from '../schema-type.ts';

export interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'sign' | 'end';
  readonly text: string;
  readonly line: number;
}

const SPACE = /(?:\s+|\/\/[^\n]*)+/y;
const COMMENT = /\/\*[\s\S]*?\*\//y;
const PATTERNS = [
  ['word', /[A-Za-z_.][\w.]*/y],
  ['number', /[-+]?\d[\w.]*(?:(?<=[eE])[-+]\d+)?/y],
  ['string', /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/y],
  ['sign', /[{}[\]()<>=;:,\-+]/y],
] as const;

/** Words, numbers, strings and signs of a `.proto` or `.fbs` text, without comments; `schema_invalid` for what is none. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? '';
    at += found.length;
    for (let i = found.indexOf('\n'); i >= 0; i = found.indexOf('\n', i + 1)) line++;
    return found;
  };
  for (;;) {
    while (take(SPACE) !== '' || take(COMMENT) !== '');
    if (at === text.length) break;
    const start = line;
    let found = '';
    for (const [kind, pattern] of PATTERNS) {
      found = take(pattern);
      if (found === '') continue;
      tokens.push({ kind, text: found, line: start });
      break;
    }
    if (found === '') throw invalidSchema(`line ${line}: ${JSON.stringify(text[at])} is not expected`);
  }
  tokens.push({ kind: 'end', text: 'the end', line });
  return tokens;
}

/** Walks over tokens; whatever is not as expected is `schema_invalid` with its line. */
export class TokenReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokensOf(text);
  }

  get peek(): Token {
    return this.#tokens[this.#at];
  }

  get isAtEnd(): boolean {
    return this.peek.kind === 'end';
  }

  next(): Token {
    const token = this.peek;
    if (token.kind === 'end') this.fail('ends too early');
    this.#at++;
    return token;
  }

  fail(detail: string): never {
    throw invalidSchema(`line ${this.peek.line}: ${detail}`);
  }

  /** Steps over `text` where it comes next. */
  skip(text: string): boolean {
    if (this.peek.text !== text || this.peek.kind === 'string') return false;
    this.#at++;
    return true;
  }

  /** Fails because of what comes next. */
  miss(expected: string): never {
    this.fail(`${expected} is expected, not ${JSON.stringify(this.peek.text.slice(0, 60))}`);
  }

  expect(text: string): void {
    if (!this.skip(text)) this.miss(JSON.stringify(text));
  }

  take(kind: Token['kind']): string {
    if (this.peek.kind !== kind) this.miss(`a ${kind}`);
    return this.next().text;
  }

  word(): string {
    return this.take('word');
  }

  integer(): number {
    const value = Number(this.take('number'));
    if (!Number.isSafeInteger(value)) this.fail('a whole number is expected');
    return value;
  }

  /** Steps behind the bracket that closes the one that comes next. */
  skipGroup(open: string, close: string): void {
    this.expect(open);
    for (let depth = 1; depth > 0; ) {
      const { text, kind } = this.next();
      if (kind !== 'sign') continue;
      if (text === open) depth++;
      else if (text === close) depth--;
    }
  }

  /** Steps behind the `;` of a statement that does not matter, groups in braces included. */
  skipStatement(): void {
    while (!this.skip(';')) {
      if (this.peek.text === '{' && this.peek.kind === 'sign') this.skipGroup('{', '}');
      else this.next();
    }
  }
}
