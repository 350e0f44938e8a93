import { isoTime } from '../kernel/iso.ts';
import { murmur2, partitionOf } from '../kernel/hash.ts';
import { type AppendRecord, type OutputRecord, topics } from '../log/contract.ts';
import type { Address, DerivedType } from './derived.ts';
import type { Fact, FactChange } from './facts.ts';

const encoder = new TextEncoder();

/** What caused a derived event: names its place in the log, and dates what could be known when. */
export interface Cause {
  topic: string;
  partition: number;
  offset: number;
  ordinal: number;
  recordTime: number;
}

export interface EventSubject {
  readonly serial: string;
  readonly keyBytes: Uint8Array;
  readonly kind: string;
  readonly machine: string;
  readonly siteId: string | null;
  readonly version: number;
}

/** The outputs of the commit in progress. With `suppressed` (recovery) they are counted and dropped: they are committed already. */
export class Outputs {
  derived: AppendRecord[] = [];
  /** Copies of facts for other actors, each with the partition of the actor that hears of it. */
  contributions: OutputRecord[] = [];
  deadLetters: AppendRecord[] = [];
  bytes = 0;
  suppressed = false;
  readonly #partitions: number;

  /** `partitions`: of every topic. */
  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  /** States a fact in the derived topic (where it is not internal) and tells it to `audience`. */
  event(subject: EventSubject, cause: Cause, change: FactChange, audience: readonly Address[]): void {
    const ordinal = cause.ordinal++;
    if (this.suppressed) return;
    const { type } = change.fact;
    if (type.internal === true && audience.length === 0) return;
    const json = encodeEvent(subject, cause, change, ordinal);
    if (type.internal !== true) {
      const value = encoder.encode(json);
      this.derived.push({ key: subject.keyBytes, value });
      this.bytes += value.length;
    }
    for (const to of audience) this.#contribute(to, json);
  }

  /** Tells a fact to `audience` alone: it stands in the derived topic already. */
  copy(subject: EventSubject, cause: Cause, fact: Fact, audience: readonly Address[]): void {
    const ordinal = cause.ordinal++;
    if (this.suppressed || audience.length === 0) return;
    const json = encodeEvent(subject, cause, { fact, op: 'upsert' }, ordinal);
    for (const to of audience) this.#contribute(to, json);
  }

  #contribute(to: Address, json: string): void {
    const key = encoder.encode(to.key);
    const value = encoder.encode(`{"to":${JSON.stringify(to)},${json.slice(1)}`);
    this.contributions.push({ key, value, partition: partitionOf(murmur2(key), this.#partitions) });
    this.bytes += value.length;
  }

  deadLetter(
    topic: string,
    partition: number,
    offset: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array,
    reason: string,
  ): void {
    if (this.suppressed) return;
    const record = encodeDeadLetter({ topic, partition, offset, timestamp, reason, value });
    this.deadLetters.push({ key, value: record });
    this.bytes += record.length;
  }

  take(): Map<string, OutputRecord[]> {
    const taken = new Map<string, OutputRecord[]>();
    if (this.derived.length > 0) taken.set(topics.derived, this.derived);
    if (this.contributions.length > 0) taken.set(topics.contributions, this.contributions);
    if (this.deadLetters.length > 0) taken.set(topics.deadLetters, this.deadLetters);
    this.derived = [];
    this.contributions = [];
    this.deadLetters = [];
    this.bytes = 0;
    return taken;
  }
}

export interface DeadLetter {
  readonly topic: string;
  readonly partition: number;
  /** -1 for lines that a door refused: they never had a place in the input. */
  readonly offset: number;
  readonly timestamp: number;
  readonly reason: string;
  readonly value: Uint8Array;
}

/** A dead letter on the log: JSON head (where from, when, why) in one line, then the original bytes as they were. */
export function encodeDeadLetter(letter: DeadLetter): Uint8Array {
  const { topic, partition, offset, timestamp, reason } = letter;
  const head = encoder.encode(`${JSON.stringify({ topic, partition, offset, time: isoTime(timestamp), reason })}\n`);
  const record = new Uint8Array(head.length + letter.value.length);
  record.set(head);
  record.set(letter.value, head.length);
  return record;
}

export function decodeDeadLetter(record: Uint8Array): DeadLetter {
  const lineEnd = record.indexOf(10);
  const head = JSON.parse(new TextDecoder().decode(record.subarray(0, lineEnd))) as Record<string, string & number>;
  return {
    topic: head.topic,
    partition: head.partition,
    offset: head.offset,
    timestamp: Date.parse(head.time),
    reason: head.reason,
    value: record.subarray(lineEnd + 1),
  };
}

function encodeEvent(subject: EventSubject, cause: Cause, { fact, op }: FactChange, ordinal: number): string {
  return JSON.stringify({
    id: `${cause.topic}-${cause.partition}-${cause.offset}-${ordinal}`,
    type: fact.type.name,
    serial: subject.serial,
    kind: subject.kind,
    siteId: subject.siteId,
    eventTime: isoTime(fact.eventTime),
    recordTime: isoTime(cause.recordTime),
    key: fact.key,
    version: subject.version,
    op,
    machine: subject.machine,
    data: encodeData(fact.type, fact.data),
  });
}

function encodeData(type: DerivedType, data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const column of type.columns) {
    const value = data[column.name];
    out[column.name] = column.type === 'time' && typeof value === 'number' ? isoTime(value) : (value ?? null);
  }
  return out;
}
