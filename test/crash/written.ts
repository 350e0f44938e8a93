import type { DerivedEvent } from '../../runtime/shard/derived.ts';
import type { ActorType } from '../../runtime/shard/contract.ts';
import { decodeDeadLetter } from '../../runtime/shard/outputs.ts';
import { RecordReader } from '../../runtime/shard/record-reader.ts';
import { type Log, topics } from '../../runtime/log/contract.ts';
import type { PartitionFold } from '../../runtime/shard/fold.ts';

const OUTPUTS = [topics.derived, topics.contributions, topics.deadLetters];
const RUN_RECORDS = 1_000;

/** What the log holds of outputs: by topic, partition and writer, each in order. */
export class Written {
  readonly #lists = new Map<string, { values: Uint8Array[]; next: number }>();

  add(place: string, value: Uint8Array): void {
    const list = this.#lists.get(place);
    if (list === undefined) this.#lists.set(place, { values: [value], next: 0 });
    else list.values.push(value);
  }

  /** The next record at that place, or null where there is none. */
  next(place: string): Uint8Array | null {
    const list = this.#lists.get(place);
    return list === undefined ? null : (list.values[list.next++] ?? null);
  }

  /** Places with records that nobody asked for. */
  left(): string[] {
    return [...this.#lists].filter(([, { values, next }]) => next < values.length).map(([place]) => place);
  }

  *values(topic: string): Generator<Uint8Array> {
    for (const [place, { values }] of this.#lists) if (place.startsWith(`${topic}-`)) yield* values;
  }
}

/** Reads all outputs of the log and finds out who wrote each: the partition of an actor type whose input caused it. */
export async function readOutputs(
  log: Pick<Log, 'partitions' | 'extent' | 'read'>,
  types: readonly ActorType[],
): Promise<Written> {
  const written = new Written();
  const writers = new Map<string, string>();
  for (const { name, topics: own } of types) {
    for (const topic of [own.readings, own.lifecycle, own.timers]) writers.set(topic, name);
  }
  for (const topic of OUTPUTS) {
    for (let partition = 0; partition < log.partitions; partition++) {
      const reader = new RecordReader(log, topic, partition, 0);
      for (let run = await reader.peek(RUN_RECORDS); run !== null; run = await reader.peek(RUN_RECORDS)) {
        const { batch, from, to } = run;
        for (let i = from; i < to; i++) {
          const value = batch.bytes.slice(batch.valueStart[i], batch.valueEnd[i]);
          const cause = causeOf(topic, value);
          written.add(`${topic}-${partition} by ${writers.get(cause.topic)}-${cause.partition}`, value);
        }
        reader.advance(run);
      }
    }
  }
  return written;
}

/** Takes what the fold said since the last call, and holds each record against the one that stands in its place. */
export function compareOutputs(fold: PartitionFold, written: Written, differ: (text: string) => void): void {
  const { partition, type } = fold;
  for (const [topic, records] of fold.outputs.take()) {
    for (const said of records) {
      const place = `${topic}-${said.partition ?? partition} by ${type.name}-${partition}`;
      const found = written.next(place);
      if (found !== null && Buffer.compare(found, said.value) === 0) continue;
      differ(
        `${place}: ${found === null ? 'nothing' : Buffer.from(found)} written, ${Buffer.from(said.value)} expected`,
      );
    }
  }
}

/** Events of the derived topic by id. */
export function eventsOf(written: Written, differ: (text: string) => void): Map<string, DerivedEvent> {
  const events = new Map<string, DerivedEvent>();
  for (const value of written.values(topics.derived)) {
    const event = JSON.parse(Buffer.from(value).toString()) as DerivedEvent;
    if (events.has(event.id)) differ(`event ${event.id} stands twice`);
    events.set(event.id, event);
  }
  return events;
}

/** Topic and partition of the input that caused an output. */
function causeOf(topic: string, value: Uint8Array): { topic: string; partition: number } {
  if (topic === topics.deadLetters) return decodeDeadLetter(value);
  const { id } = JSON.parse(Buffer.from(value).toString()) as DerivedEvent;
  const [, cause, partition] = /^(.*)-(\d+)-\d+-\d+$/.exec(id) as RegExpExecArray;
  return { topic: cause, partition: Number(partition) };
}
