import { ByteCursor } from '../byte-cursor.ts';
import { textOf, UNDECODABLE } from '../wire-document.ts';

/** Reads the parts of an Avro value one after the other. Throws a Refusal where there is none. */
export class AvroCursor extends ByteCursor {
  /** A 64-bit number, zigzag; beyond 2^53 it is not exact. */
  long(): number {
    this.bits64();
    return unzigzag(this.low, this.high);
  }

  boolean(): boolean {
    const byte = this.byte();
    if (byte > 1) throw UNDECODABLE;
    return byte === 1;
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
}

function unzigzag(low: number, high: number): number {
  const half = (low >>> 1) | (high << 31);
  const rest = high >>> 1;
  return (low & 1) === 0 ? rest * 2 ** 32 + (half >>> 0) : ~rest * 2 ** 32 + (~half >>> 0);
}
