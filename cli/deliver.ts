import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type Client, expectOk, problemOf } from './client.ts';
import type { InputTopic, OutgoingRecord } from './records.ts';

/** A request carries at most so much; one longer line goes alone. */
const BATCH_BYTES = 512 * 1024;
const BATCH_RECORDS = 2_000;
const MAX_EXAMPLES = 10;
/** A door that says "later" is asked again for so long. */
const RETRY_FOR_MS = 120_000;

export interface DeliveryReport {
  readonly records: number;
  readonly bytes: number;
  readonly accepted: number;
  readonly refused: number;
  /** Refused records per reason code. */
  readonly reasons: Readonly<Record<string, number>>;
  /** The first refused ones. */
  readonly examples: readonly { readonly line: number; readonly reason: string; readonly detail: string }[];
}

interface Batch {
  readonly lines: number[];
  readonly parts: Uint8Array[];
  bytes: number;
}

interface DoorAnswer {
  readonly accepted: number;
  readonly refused: number;
  readonly errors: readonly { readonly line: number; readonly reason: string; readonly detail: string }[];
}

const LINE_END = Buffer.from('\n');

/**
 * Sends records to the doors of an instance, in order per topic, one request per topic at a time; readings never
 * overtake the lifecycle records before them, which say how they are to be understood. Memory holds a batch that is on
 * its way and one that is being filled, per topic. `onProgress` is called after each answer.
 */
export class Delivery {
  readonly #client: Client;
  readonly #path: string;
  readonly #onProgress: (report: DeliveryReport) => void;
  readonly #filling = new Map<InputTopic, Batch>();
  readonly #sending = new Map<InputTopic, Promise<void>>();
  readonly #reasons: Record<string, number> = Object.create(null);
  readonly #examples: { line: number; reason: string; detail: string }[] = [];
  #records = 0;
  #bytes = 0;
  #accepted = 0;
  #refused = 0;

  /** `path`: where the doors of the two topics stand. */
  constructor(client: Client, onProgress: (report: DeliveryReport) => void = () => {}, path = '/v1') {
    this.#client = client;
    this.#onProgress = onProgress;
    this.#path = path;
  }

  /** Sends all; rejects when the instance cannot be reached or refuses a whole request. */
  async run(records: AsyncIterable<OutgoingRecord>): Promise<DeliveryReport> {
    for await (const record of records) {
      this.#records += 1;
      this.#bytes += record.bytes.length;
      if (record.cut) this.#refuse(record.line, 'line_too_long', 'The line is too long for a record; it was not sent.');
      else await this.#add(record);
    }
    for (const topic of ['lifecycle', 'telemetry'] as const) await this.#send(topic);
    await Promise.all(this.#sending.values());
    return this.report();
  }

  report(): DeliveryReport {
    return {
      records: this.#records,
      bytes: this.#bytes,
      accepted: this.#accepted,
      refused: this.#refused,
      reasons: { ...this.#reasons },
      examples: [...this.#examples],
    };
  }

  async #add({ topic, line, bytes }: OutgoingRecord): Promise<void> {
    const open = this.#filling.get(topic);
    if (open !== undefined && open.bytes + bytes.length > BATCH_BYTES) await this.#send(topic);
    const batch = this.#filling.get(topic) ?? { lines: [], parts: [], bytes: 0 };
    this.#filling.set(topic, batch);
    batch.lines.push(line);
    batch.parts.push(bytes, LINE_END);
    batch.bytes += bytes.length + 1;
    if (batch.lines.length >= BATCH_RECORDS) await this.#send(topic);
  }

  /** Waits for the request before, then starts the next one. */
  async #send(topic: InputTopic): Promise<void> {
    const batch = this.#filling.get(topic);
    if (batch === undefined) return;
    if (topic === 'telemetry') {
      await this.#send('lifecycle');
      await this.#sending.get('lifecycle');
    }
    this.#filling.delete(topic);
    await this.#sending.get(topic);
    const sent = this.#post(topic, batch.lines, batch.parts);
    // Awaited with the next batch or at the end; until then a failure has no other listener.
    sent.catch(() => {});
    this.#sending.set(topic, sent);
  }

  async #post(topic: InputTopic, lines: readonly number[], parts: readonly Uint8Array[]): Promise<void> {
    const answer = await this.#patiently(() => this.#client.postLines(`${this.#path}/${topic}`, Buffer.concat(parts)));
    const isRefusedWhole = answer.status === 400 || answer.status === 413;
    if (isRefusedWhole && lines.length > 1) {
      // One line spoils the body as a whole: the halves show which.
      const half = lines.length >> 1;
      await this.#post(topic, lines.slice(0, half), parts.slice(0, half * 2));
      await this.#post(topic, lines.slice(half), parts.slice(half * 2));
      return;
    }
    if (isRefusedWhole) {
      const problem = problemOf(answer);
      this.#refuse(lines[0], problem.code, problem.message);
    } else this.#count(lines, expectOk<DoorAnswer>(answer));
    this.#onProgress(this.report());
  }

  #count(lines: readonly number[], { accepted, refused, errors }: DoorAnswer): void {
    this.#accepted += accepted;
    for (const { line, reason, detail } of errors) this.#refuse(lines[line - 1] ?? line, reason, detail);
    const unlisted = refused - errors.length;
    if (unlisted > 0) {
      this.#refused += unlisted;
      this.#reasons.not_listed = (this.#reasons.not_listed ?? 0) + unlisted;
    }
  }

  #refuse(line: number, reason: string, detail: string): void {
    this.#refused += 1;
    this.#reasons[reason] = (this.#reasons[reason] ?? 0) + 1;
    if (this.#examples.length < MAX_EXAMPLES) this.#examples.push({ line, reason, detail });
  }

  async #patiently(send: () => Promise<Answer>): Promise<Answer> {
    for (let waitedMs = 0, pauseMs = 50; ; pauseMs = Math.min(2_000, pauseMs * 2)) {
      const answer = await send();
      if ((answer.status !== 429 && answer.status !== 503) || waitedMs >= RETRY_FOR_MS) return answer;
      await sleep(pauseMs);
      waitedMs += pauseMs;
    }
  }
}
