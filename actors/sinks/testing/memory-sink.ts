import type { DerivedEvent } from '../../../runtime/shard/derived.ts';
import { auditPartition, type CommittedRange, wanted } from '../batches.ts';
import type { LedgerEntry, Sink, SinkAudit, SinkBatch } from '../contract.ts';

/** What a target in memory holds: it outlives the sinks that write it. */
export interface MemoryTarget {
  rows: { partition: number; event: DerivedEvent }[];
  readonly next: Map<number, number>;
  readonly ranges: Map<number, CommittedRange[]>;
}

export function memoryTarget(): MemoryTarget {
  return { rows: [], next: new Map(), ranges: new Map() };
}

/** A sink into memory, to test what feeds sinks; `beforeWrite` may fail or stall as a distant target does. */
export class MemorySink implements Sink {
  readonly name = 'memory';
  readonly #target: MemoryTarget;
  beforeWrite: (batches: readonly SinkBatch[]) => Promise<void> = async () => {};
  afterWrite: () => Promise<void> = async () => {};
  opened = 0;
  closed = 0;
  writes = 0;

  constructor(target: MemoryTarget) {
    this.#target = target;
  }

  async open(): Promise<void> {
    this.opened += 1;
  }

  async ledger(): Promise<LedgerEntry[]> {
    return [...this.#target.next]
      .map(([partition, next]) => ({ partition, next, rows: this.#rowsOf(partition).length }))
      .sort((a, b) => a.partition - b.partition);
  }

  async write(batches: readonly SinkBatch[]): Promise<void> {
    await this.beforeWrite(batches);
    for (const batch of wanted(batches, this.#target.next)) {
      this.#target.rows.push(...batch.events.map((event) => ({ partition: batch.partition, event })));
      this.#target.next.set(batch.partition, batch.next);
      this.#target.ranges.set(batch.partition, [...(this.#target.ranges.get(batch.partition) ?? []), batch]);
    }
    this.writes += 1;
    await this.afterWrite();
  }

  async audit(): Promise<SinkAudit[]> {
    return (await this.ledger()).map((entry) => {
      const ids = this.#rowsOf(entry.partition).map((row) => row.event.id);
      const counts = { rows: ids.length, distinct: new Set(ids).size };
      return auditPartition(entry, this.#target.ranges.get(entry.partition) ?? [], counts);
    });
  }

  async close(): Promise<void> {
    this.closed += 1;
  }

  #rowsOf(partition: number) {
    return this.#target.rows.filter((row) => row.partition === partition);
  }
}
