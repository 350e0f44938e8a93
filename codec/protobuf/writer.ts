import { FIXED64, LEN, VARINT } from './cursor.ts';

/** Writes the fields of a Protobuf message. Made for doors, simulation and tests, not for speed. */
export class ProtoWriter {
  private readonly parts: Uint8Array[] = [];

  bytes(): Uint8Array {
    return Buffer.concat(this.parts);
  }

  /** A whole number, in two's complement where it is negative. */
  integer(field: number, value: number): this {
    return this.tag(field, VARINT).varint(BigInt.asUintN(64, BigInt(value)));
  }

  double(field: number, value: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    return this.tag(field, FIXED64).push(bytes);
  }

  text(field: number, value: string): this {
    return this.chunk(field, Buffer.from(value));
  }

  message(field: number, fill: (message: ProtoWriter) => void): this {
    const message = new ProtoWriter();
    fill(message);
    return this.chunk(field, message.bytes());
  }

  packed(field: number, values: readonly number[]): this {
    const message = new ProtoWriter();
    for (const value of values) message.varint(BigInt(value));
    return this.chunk(field, message.bytes());
  }

  entry(field: number, name: string, value: string): this {
    return this.message(field, (entry) => entry.text(1, name).text(2, value));
  }

  private chunk(field: number, bytes: Uint8Array): this {
    return this.tag(field, LEN).varint(BigInt(bytes.length)).push(bytes);
  }

  private tag(field: number, wire: number): this {
    return this.varint(BigInt(field * 8 + wire));
  }

  private varint(value: bigint): this {
    const bytes: number[] = [];
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    return this.push(Uint8Array.from(bytes));
  }

  private push(bytes: Uint8Array): this {
    this.parts.push(bytes);
    return this;
  }
}
