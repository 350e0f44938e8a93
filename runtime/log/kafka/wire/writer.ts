/** Bytes of a request in the order of the protocol: big-endian, lengths before contents. */
export class Writer {
  #bytes: Buffer;
  #size = 0;

  constructor(capacity = 512) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  get size(): number {
    return this.#size;
  }

  int8(value: number): this {
    this.#size = this.#room(1).writeInt8(value, this.#size);
    return this;
  }

  int16(value: number): this {
    this.#size = this.#room(2).writeInt16BE(value, this.#size);
    return this;
  }

  int32(value: number): this {
    this.#size = this.#room(4).writeInt32BE(value, this.#size);
    return this;
  }

  /** A safe integer, negative ones included. */
  int64(value: number): this {
    const high = Math.floor(value / 0x1_0000_0000);
    return this.int32(high).#uint32(value - high * 0x1_0000_0000);
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const length = Buffer.byteLength(value);
    this.int16(length);
    this.#size += this.#room(length).write(value, this.#size);
    return this;
  }

  /** Contents without a length before them. */
  raw(bytes: Uint8Array): this {
    this.#room(bytes.length).set(bytes, this.#size);
    this.#size += bytes.length;
    return this;
  }

  done(): Buffer {
    return this.#bytes.subarray(0, this.#size);
  }

  #uint32(value: number): this {
    this.#size = this.#room(4).writeUInt32BE(value, this.#size);
    return this;
  }

  #room(bytes: number): Buffer {
    if (this.#size + bytes > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#size + bytes));
      this.#bytes.copy(grown, 0, 0, this.#size);
      this.#bytes = grown;
    }
    return this.#bytes;
  }
}

/** A signed 64-bit integer that is known to be a safe one: offsets, times and producers' ids. */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);
}
