import type { FastifyRequest } from 'fastify';
import type { Member } from '../../runtime/log/membership.ts';
import { homeOf } from '../../runtime/system/assets.ts';
import type { Engine } from '../../runtime/system/engine.ts';
import { Problem } from '../http/problem.ts';
import { FORWARDED, type Peers } from './peers.ts';

/** What routes need of the group of processes. */
export interface Group {
  readonly engine: Engine;
  readonly peers: Peers;
}

/** Whether another process passed the request on: then it is answered from here alone. */
export function isForwarded(request: FastifyRequest): boolean {
  return request.headers[FORWARDED] !== undefined;
}

/** Who has the partition: null means this process. Throws `partition_moving` (503) while nobody has. */
export function ownerOf({ engine }: Group, partition: number, forwarded: boolean): Member | null {
  const place = engine.place(partition);
  if (place.at === 'here') return null;
  if (place.at === 'there' && !forwarded) return place.member;
  throw movingPartition(partition);
}

/** Throws `partition_moving` (503) unless the key's partition is at work here. */
export function checkHere(engine: Engine, key: string): void {
  const { partition } = homeOf(key, engine.partitions);
  if (engine.place(partition).at !== 'here') throw movingPartition(partition);
}

export function movingPartition(partition: number): Problem {
  const detail = `Partition ${partition} is being recovered, or moves to another process.`;
  return new Problem(503, 'partition_moving', detail, { retryAfterS: 1 });
}
