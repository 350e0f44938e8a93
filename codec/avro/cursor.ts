import { textOf, UNDECODABLE } from '../wire-document.ts';

/** Reads the parts of an Avro value one after the other. Throws a Refusal where there is none. */
export class AvroCursor {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly end: number;
  private at: number;

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

  /** A 64-bit number, zigzag; beyond 2^53 it is not exact. */
  long(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) return unzigzag(low, high);
    }
    throw UNDECODABLE;
  }

  byte(): number {
    if (this.at >= this.end) throw UNDECODABLE;
    return this.bytes[this.at++];
  }

  boolean(): boolean {
    const byte = this.byte();
    if (byte > 1) throw UNDECODABLE;
    return byte === 1;
  }

  double(): number {
    this.take(8);
    return this.view.getFloat64(this.at - 8, true);
  }

  float(): number {
    this.take(4);
    return this.view.getFloat32(this.at - 4, true);
  }

  text(): string {
    const length = this.long();
    this.take(length);
    return textOf(this.bytes, this.at - length, this.at);
  }

  /** So many bytes, in base 64. */
  base64(length: number): string {
    this.take(length);
    return Buffer.from(this.bytes.subarray(this.at - length, this.at)).toString('base64');
  }

  private take(count: number): void {
    if (!(count >= 0 && count <= this.left)) throw UNDECODABLE;
    this.at += count;
  }
}

function unzigzag(low: number, high: number): number {
  const half = (low >>> 1) | (high << 31);
  const rest = high >>> 1;
  return (low & 1) === 0 ? rest * 2 ** 32 + (half >>> 0) : ~rest * 2 ** 32 + (~half >>> 0);
}
