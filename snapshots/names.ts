/** Texts that many assets share, as numbers from 1 on. A name keeps its number for ever. */
export class Names {
  static readonly MAX = 65_535;
  readonly #names: string[];
  readonly #numbers = new Map<string, number>();

  constructor(names: readonly string[]) {
    this.#names = [...names];
    for (const [i, name] of this.#names.entries()) this.#numbers.set(name, i + 1);
  }

  intern(name: string): number {
    let number = this.#numbers.get(name);
    if (number !== undefined) return number;
    if (this.#names.length >= Names.MAX) return 0;
    number = this.#names.push(name);
    this.#numbers.set(name, number);
    return number;
  }

  name(number: number): string | null {
    return this.#names[number - 1] ?? null;
  }

  copy(): string[] {
    return this.#names.slice();
  }
}
