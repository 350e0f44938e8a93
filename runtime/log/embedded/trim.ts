import type { Retention } from '../contract.ts';
import { markerKey, recordsKey } from './keys.ts';
import type { Partition } from './partition.ts';
import { valueAt } from './reader.ts';
import { type Db, type Op, sealRow } from './rows.ts';
import type { ValueHeader } from './value.ts';

/** At most so many values go in one step, so that a long-overdue trim does not hold up appends. */
const VALUES_PER_STEP = 64;

/** Whether retention lets the oldest value of a partition that holds `heldBytes` go. */
export function mayGo(header: ValueHeader, heldBytes: number, retention: Retention, now: number): boolean {
  return header.timestamp < now - retention.maxAgeMs || heldBytes > retention.maxBytes;
}

export interface TrimStep {
  readonly ops: Op[];
  readonly start: number;
  readonly bytesBeforeStart: number;
}

/** The next values to delete and the marker that says where the partition begins then; null when none may go. */
export function planTrim(
  db: Db,
  partition: Partition,
  retention: Retention,
  notPast: number,
  now: number,
): TrimStep | null {
  const { topic, index } = partition;
  const ops: Op[] = [];
  let { start, bytesBeforeStart } = partition;
  let crc = 0;
  while (start < partition.end && ops.length < VALUES_PER_STEP) {
    const found = valueAt(db, partition, start);
    if (found === null) break;
    const { header, value } = found;
    if (header.baseOffset + header.count > notPast) break;
    if (!mayGo(header, partition.bytes - bytesBeforeStart, retention, now)) break;
    ops.push({ type: 'del', key: recordsKey(topic, index, start) });
    start = header.baseOffset + header.count;
    bytesBeforeStart = header.bytesBefore + value.length;
    crc = header.crc;
  }
  if (ops.length === 0) return null;
  ops.push(sealRow(markerKey(topic, index), { start, crc, bytes: bytesBeforeStart }));
  return { ops, start, bytesBeforeStart };
}
