import type { Claim, CommitBatch, KeyedRecord } from '../contract.ts';
import type { GridfoldError } from '../../kernel/errors.ts';
import { closed, commitUnknown, fenced, isFence, isRefusedRecord } from './failures.ts';
import { encodeFrame } from './journal-frame.ts';
import type { Part } from './part-writer.ts';
import type { GroupOffsets, TransactionalProducer } from './transaction.ts';
import type { WireRecord } from './wire/record-set.ts';

/** The newest commit that this process made for a journal's partition. */
export interface OwnCommit {
  readonly position: Uint8Array;
  readonly journalNext: number;
}

/** Who may commit for one partition of a journal, from its claim until the next one; its transactions in order. */
export class Owner {
  readonly claim: Claim;
  /** Offset in the journal behind everything that earlier owners committed; see {@link TransactionalProducer.mark}. */
  readonly mark: number;
  newest: OwnCommit | null = null;
  readonly #producer: TransactionalProducer;
  readonly #fullName: (topic: string) => string;
  #last: Promise<unknown> = Promise.resolve();
  #refusal: GridfoldError | null = null;
  /** By topic and partition, the offset after what was committed last. */
  readonly #ends = new Map<string, number>();

  constructor(claim: Claim, mark: number, producer: TransactionalProducer, fullName: (topic: string) => string) {
    this.claim = claim;
    this.mark = mark;
    this.#producer = producer;
    this.#fullName = fullName;
  }

  /** A newer claim was made here: what is not under way yet is refused. */
  fence(): void {
    this.#refusal ??= this.#fenced();
  }

  commit(batch: CommitBatch, groupId: string): Promise<number> {
    return this.#inTurn(async () => {
      const { journal, partition, generation } = this.claim;
      const parts = this.#partsOf(batch.outputs);
      const inputs = batch.inputs ?? new Map<string, number>();
      const position = Uint8Array.from(batch.position);
      const value = encodeFrame({ generation, position, inputs, journal: batch.journal });
      parts.push({ topic: this.#fullName(journal), partition, records: [{ key: null, value }] });
      const next = new Map([...inputs].map(([topic, offset]) => [this.#fullName(topic), offset]));
      const offsets: GroupOffsets = { groupId, partition, next };
      const lastOffsets = await this.#producer.run(parts, offsets);
      for (const [i, { topic, partition: at }] of parts.entries())
        this.#ends.set(placeOf(topic, at), lastOffsets[i] + 1);
      const journalNext = lastOffsets[lastOffsets.length - 1] + 1;
      this.newest = { position, journalNext };
      return journalNext;
    });
  }

  publish(records: ReadonlyMap<string, readonly KeyedRecord[]>): Promise<void> {
    return this.#inTurn(async () => {
      const parts = this.#partsOf(records);
      if (parts.length > 0) await this.#producer.run(parts, null);
    });
  }

  /** The offset after what the newest commit wrote to the partition; 0 where none did. */
  endOf(topic: string, partition: number): number {
    return this.#ends.get(placeOf(topic, partition)) ?? 0;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#last;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => {
      if (this.#refusal !== null) throw this.#refusal;
      try {
        return await work();
      } catch (error) {
        throw await this.#classify(error);
      }
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** What became of a transaction that failed, and what that means for those after it. */
  async #classify(error: unknown): Promise<unknown> {
    const { journal, partition } = this.claim;
    if (isFence(error)) {
      this.#refusal ??= this.#fenced(error);
    } else if ((error as GridfoldError).code === 'log_closed') {
      this.#refusal = closed();
      return commitUnknown(journal, partition, error);
    } else if (isRefusedRecord(error)) {
      // Known to be unwritten, and the same records would be refused again.
      return this.#producer.abort().then(
        () => error,
        (failure) => this.#classify(failure),
      );
    } else {
      this.#refusal = commitUnknown(journal, partition, error);
    }
    return this.#refusal;
  }

  #fenced(cause?: unknown): GridfoldError {
    const { journal, partition, generation } = this.claim;
    return fenced(journal, partition, generation, cause);
  }

  #partsOf(outputs: ReadonlyMap<string, readonly (WireRecord & { readonly partition?: number })[]>): Part[] {
    const parts: Part[] = [];
    for (const [name, records] of outputs) {
      const topic = this.#fullName(name);
      for (const [partition, list] of Map.groupBy(records, (r) => r.partition ?? this.claim.partition)) {
        parts.push({ topic, partition, records: list });
      }
    }
    return parts;
  }
}

function placeOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
