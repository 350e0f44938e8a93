import { isUtf8 } from 'node:buffer';
import { ByteCursor } from '../byte-cursor.ts';
import { textOf, UNDECODABLE } from '../wire-document.ts';

/** Wire types. */
export const VARINT = 0;
export const FIXED64 = 1;
export const LEN = 2;
export const FIXED32 = 5;

/** Walks through the fields of a Protobuf message. Throws a Refusal where the bytes are none. */
export class ProtoCursor extends ByteCursor {
  /** Of the field that `next` stopped at. */
  number = 0;
  wire = 0;
  /** Goes to the next field; its value must be taken or skipped before the one after it. False at the end. */
  next(): boolean {
    if (this.at === this.end) return false;
    const tag = this.varint();
    this.number = Math.floor(tag / 8);
    this.wire = tag & 7;
    if (this.number < 1 || tag > 0xffffffff) throw UNDECODABLE;
    return true;
  }

  /** A 64-bit number in two's complement; beyond 2^53 it is not exact. */
  varint(): number {
    this.bits64();
    return this.high * 2 ** 32 + (this.low >>> 0);
  }

  /** A cursor over the message that the field holds. */
  message(): ProtoCursor {
    const length = this.length();
    return new ProtoCursor(this.bytes, this.at - length, this.at);
  }

  text(): string {
    const length = this.length();
    return textOf(this.bytes, this.at - length, this.at);
  }

  /** Text, or bytes that are none in base 64. */
  textOrBytes(): string {
    const length = this.length();
    const bytes = this.bytes.subarray(this.at - length, this.at);
    return isUtf8(bytes) ? textOf(bytes, 0, length) : Buffer.from(bytes).toString('base64');
  }

  /** The numbers of a repeated field, packed or not. */
  numbers(): number[] {
    if (this.wire === VARINT) return [this.varint()];
    const packed = this.message();
    const numbers: number[] = [];
    while (packed.at < packed.end) numbers.push(packed.varint());
    return numbers;
  }

  skip(): void {
    switch (this.wire) {
      case VARINT:
        this.varint();
        break;
      case FIXED64:
        this.take(8);
        break;
      case FIXED32:
        this.take(4);
        break;
      case LEN:
        this.length();
        break;
      default: // groups have been gone for long
        throw UNDECODABLE;
    }
  }

  /** Passes over the bytes of a length-delimited field and returns how many they are. */
  private length(): number {
    const length = this.varint();
    this.take(length);
    return length;
  }
}
