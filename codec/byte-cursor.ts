import { UNDECODABLE } from './wire-document.ts';

/** Reads the parts of a binary record one after the other, and nothing beyond its end. Throws a Refusal where there is none. */
export class ByteCursor {
  protected readonly bytes: Uint8Array;
  protected readonly end: number;
  protected at: number;
  /** The 64 bits that {@link bits64} read last. */
  protected low = 0;
  protected high = 0;
  private readonly view: DataView;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = start;
    this.end = end;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.end - this.at;
  }

  byte(): number {
    if (this.at >= this.end) throw UNDECODABLE;
    return this.bytes[this.at++];
  }

  double(): number {
    this.take(8);
    return this.view.getFloat64(this.at - 8, true);
  }

  float(): number {
    this.take(4);
    return this.view.getFloat32(this.at - 4, true);
  }

  /** Seven bits a byte, the lowest first, into `low` and `high`: what Protobuf and Avro have in common. */
  protected bits64(): void {
    this.low = 0;
    this.high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
      const bits = byte & 0x7f;
      if (shift < 28) this.low |= bits << shift;
      else if (shift === 28) {
        this.low |= bits << 28;
        this.high = bits >> 4;
      } else this.high |= bits << (shift - 32);
      if (byte < 0x80) return;
    }
    throw UNDECODABLE;
  }

  /** Passes over so many bytes. */
  protected take(count: number): void {
    if (!(count >= 0 && count <= this.left)) throw UNDECODABLE;
    this.at += count;
  }
}
