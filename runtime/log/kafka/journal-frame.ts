import type { RecordBatch } from '../contract.ts';

/** What a commit writes into the journal's topic: the journal record, and what the log itself keeps beside it. */
export interface JournalFrame {
  readonly generation: number;
  readonly position: Uint8Array;
  /** By input topic, the offset up to which it was folded. */
  readonly inputs: ReadonlyMap<string, number>;
  readonly journal: Uint8Array;
}

const VERSION = 1;
const HEADER_BYTES = 17;

/** version u8, generation f64, position length u32, inputs length u32, position, inputs as JSON, journal. */
export function encodeFrame({ generation, position, inputs, journal }: JournalFrame): Buffer {
  const json = Buffer.from(JSON.stringify([...inputs]));
  const frame = Buffer.allocUnsafe(HEADER_BYTES + position.length + json.length + journal.length);
  frame.writeUInt8(VERSION, 0);
  frame.writeDoubleBE(generation, 1);
  frame.writeUInt32BE(position.length, 9);
  frame.writeUInt32BE(json.length, 13);
  frame.set(position, HEADER_BYTES);
  frame.set(json, HEADER_BYTES + position.length);
  frame.set(journal, HEADER_BYTES + position.length + json.length);
  return frame;
}

/** Throws an Error that says what is wrong with it. */
export function decodeFrame(bytes: Uint8Array, from: number, to: number): JournalFrame {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from);
  const journalAt = journalStart(frame, 0, frame.length);
  const inputsAt = HEADER_BYTES + frame.readUInt32BE(9);
  return {
    generation: frame.readDoubleBE(1),
    position: Uint8Array.from(frame.subarray(HEADER_BYTES, inputsAt)),
    inputs: new Map(JSON.parse(frame.toString('utf8', inputsAt, journalAt)) as [string, number][]),
    journal: Uint8Array.from(frame.subarray(journalAt)),
  };
}

/** Moves the start of each value to the journal record in it, in place. */
export function stripFrames({ bytes, count, valueStart, valueEnd }: RecordBatch): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0; i < count; i++) valueStart[i] = journalStart(buffer, valueStart[i], valueEnd[i]);
}

function journalStart(bytes: Buffer, from: number, to: number): number {
  const isWhole = to - from >= HEADER_BYTES && bytes[from] === VERSION;
  const start = isWhole ? from + HEADER_BYTES + bytes.readUInt32BE(from + 9) + bytes.readUInt32BE(from + 13) : to + 1;
  if (start > to) throw new Error(`holds a journal record of unknown format ${bytes[from]}`);
  return start;
}
