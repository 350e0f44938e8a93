/** Writes the parts of an Avro value one after the other. Made for doors, simulation and tests, not for speed. */
export class AvroWriter {
  private readonly parts: Uint8Array[] = [];

  bytes(): Uint8Array {
    return Buffer.concat(this.parts);
  }

  long(value: number): this {
    const n = BigInt(value);
    let rest = n < 0n ? -2n * n - 1n : 2n * n;
    const bytes: number[] = [];
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    return this.push(Uint8Array.from(bytes));
  }

  boolean(value: boolean): this {
    return this.push(Uint8Array.of(value ? 1 : 0));
  }

  double(value: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    return this.push(bytes);
  }

  text(value: string): this {
    const bytes = Buffer.from(value);
    return this.long(bytes.length).push(bytes);
  }

  /** A value of `["null", …]`. */
  optional<T>(value: T | null | undefined, write: (value: T) => void): this {
    if (value === null || value === undefined) return this.long(0);
    this.long(1);
    write(value);
    return this;
  }

  /** An array, or with pairs a map. */
  list<T>(items: readonly T[], write: (item: T) => void): this {
    if (items.length > 0) this.long(items.length);
    for (const item of items) write(item);
    return this.long(0);
  }

  private push(bytes: Uint8Array): this {
    this.parts.push(bytes);
    return this;
  }
}
