import type { SourceRecord } from '../sim/record.ts';
import type { Line } from './lines.ts';

export type InputTopic = 'telemetry' | 'lifecycle';

/** One record on its way to the door: its line as it stands, and where it belongs. */
export interface OutgoingRecord {
  readonly topic: InputTopic;
  readonly line: number;
  readonly bytes: Uint8Array;
  readonly cut: boolean;
}

const EVENT_TIME = Buffer.from('"eventTime"');

/**
 * Where a line belongs. Only lines that mention an `eventTime` are looked into: all lifecycle records have one. What is
 * no record at all goes to telemetry, whose door says what is wrong with it.
 */
export function topicOf(bytes: Uint8Array): InputTopic {
  if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(EVENT_TIME) < 0) return 'telemetry';
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    const isLifecycle = value !== null && typeof value === 'object' && 'eventTime' in value && !('fields' in value);
    return isLifecycle ? 'lifecycle' : 'telemetry';
  } catch {
    return 'telemetry';
  }
}

export async function* recordsOfLines(lines: AsyncIterable<Line>): AsyncGenerator<OutgoingRecord> {
  for await (const { number, bytes, cut } of lines) yield { topic: topicOf(bytes), line: number, bytes, cut };
}

export async function* recordsOfSource(
  source: AsyncIterable<SourceRecord> | Iterable<SourceRecord>,
): AsyncGenerator<OutgoingRecord> {
  let line = 0;
  for await (const { topic, value } of source) {
    yield { topic, line: ++line, bytes: Buffer.from(JSON.stringify(value)), cut: false };
  }
}
