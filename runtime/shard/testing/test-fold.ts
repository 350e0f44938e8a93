import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MirroredSnapshot } from '../../../snapshots/mirrored.ts';
import { openPartitionState } from '../../../snapshots/open.ts';
import type { RecordBatch } from '../../log/contract.ts';
import { PartitionFold } from '../fold.ts';
import { decodePosition, startPosition } from '../position.ts';
import type { ActorType } from '../contract.ts';

/** A fold over a state of its own in a temporary folder, and what it said so far. */
export interface TestFold {
  readonly fold: PartitionFold;
  /** Folds records as one batch at one reading of the clock. */
  feed(topic: 'telemetry' | 'lifecycle', records: readonly object[], clock: number): void;
  /** All events said, in order. */
  events(): Said[];
  /** Newest version of each key that is not retracted: event time and data by type and key. */
  current(): Map<string, unknown>;
  close(): Promise<void>;
}

export interface Said {
  readonly id: string;
  readonly type: string;
  readonly key: string;
  readonly version: number;
  readonly op: string;
  readonly eventTime: string;
  readonly data: Record<string, unknown>;
}

export interface TestFoldOptions {
  readonly horizonMs?: number;
  readonly blocksPerKind?: number;
  readonly windowChunkBytes?: number;
  /** What the state is made from. */
  readonly replaceWith?: MirroredSnapshot;
}

export async function openTestFold(type: ActorType, options: TestFoldOptions = {}): Promise<TestFold> {
  const { horizonMs = 86_400_000, blocksPerKind = 16, windowChunkBytes, replaceWith } = options;
  const dir = mkdtempSync(join(tmpdir(), 'gridfold-fold-'));
  const state = await openPartitionState({
    dir: join(dir, 'state'),
    schemas: type.kinds.map((k) => k.state),
    blocksPerKind,
    windowChunkBytes,
    replaceWith,
    message: () => {},
  });
  const position = state.restored === null ? startPosition() : decodePosition(state.restored.position);
  const fold = new PartitionFold({ type, partition: 0, partitions: 1, state, position, horizonMs });
  const said: Said[] = [];
  const decoder = new TextDecoder();
  const collect = () => {
    for (const { value } of fold.outputs.derived) said.push(JSON.parse(decoder.decode(value)) as Said);
    fold.outputs.derived = [];
  };
  return {
    fold,
    feed(topic, records, clock) {
      const batch = batchOf(records, fold.position[topic], clock);
      if (fold[topic](batch, 0, batch.count, clock) < batch.count) throw new Error('a window is still to come');
    },
    events() {
      collect();
      return said;
    },
    current() {
      collect();
      return currentOf(said);
    },
    async close() {
      await state.close();
      rmSync(dir, { recursive: true });
    },
  };
}

export function currentOf(said: readonly Said[]): Map<string, unknown> {
  const newest = new Map<string, Said>();
  for (const event of said) {
    const id = `${event.type} ${event.key}`;
    const known = newest.get(id);
    if (known === undefined || event.version >= known.version) newest.set(id, event);
  }
  const current = new Map<string, unknown>();
  for (const id of [...newest.keys()].sort()) {
    const event = newest.get(id) as Said;
    if (event.op === 'upsert') current.set(id, { eventTime: event.eventTime, data: event.data });
  }
  return current;
}

/** A batch as a log would hand it out; records without a serial have no key. */
export function batchOf(records: readonly object[], baseOffset: number, timestamp: number): RecordBatch {
  const parts: Uint8Array[] = [];
  const keyStart = new Uint32Array(records.length);
  const keyEnd = new Uint32Array(records.length);
  const valueEnd = new Uint32Array(records.length);
  let at = 0;
  records.forEach((record, i) => {
    const value = record instanceof Uint8Array ? record : Buffer.from(JSON.stringify(record));
    const key = Buffer.from((record as { serial?: string }).serial ?? '');
    keyStart[i] = at;
    keyEnd[i] = at + key.length;
    valueEnd[i] = at += key.length + value.length;
    parts.push(key, value);
  });
  return {
    baseOffset,
    count: records.length,
    timestamp,
    bytes: Buffer.concat(parts),
    keyStart,
    keyEnd,
    valueStart: keyEnd,
    valueEnd,
  };
}
