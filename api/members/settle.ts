import type { Clock } from '../../runtime/kernel/clock.ts';
import { Problem } from '../http/problem.ts';
import { type Group, movingPartition } from './group.ts';
import { elsewhere } from './placement.ts';

/** What devices say goes to sites, what sites say to regions, and what all say to the sinks, each maybe in another process. */
const rounds = 4;

/**
 * Resolves when all input is settled in every process. Throws `not_settled` after `timeoutMs`, `partition_moving` while
 * a partition has no owner, `owner_unreachable`. A request that was passed on waits for this process alone.
 */
export async function settleGroup(group: Group, timeoutMs: number, clock: Clock, forwarded: boolean): Promise<void> {
  const { engine, peers } = group;
  const end = clock.now() + timeoutMs;
  for (let round = 0; round < rounds; round++) {
    const left = Math.max(0, end - clock.now());
    const { members, moving } = forwarded ? { members: [], moving: [] } : elsewhere(engine);
    if (moving.length > 0) throw movingPartition(moving[0]);
    const others = members.map((member) =>
      peers.json(member, { method: 'POST', path: `/v1/settle?timeoutMs=${left}`, waitMs: left }),
    );
    await Promise.all([within(engine.settled(), left, clock), ...others]);
    if (members.length === 0) return;
  }
}

async function within(work: Promise<void>, timeoutMs: number, clock: Clock): Promise<void> {
  let cancel = () => {};
  const timeout = new Promise<never>((_, reject) => {
    cancel = clock.after(timeoutMs, () => {
      reject(new Problem(503, 'not_settled', `Not settled after ${timeoutMs} ms.`, { retryAfterS: 1 }));
    });
  });
  await Promise.race([work, timeout]).finally(cancel);
}
