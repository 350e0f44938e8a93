import type { ActorTopics } from '../shard/contract.ts';
import { released } from '../shard/mirror-topic.ts';
import { pause } from './pause.ts';
import type { RuntimeOptions } from './runtime-options.ts';

const POLL_MS = 50;

/** Waits until the owner before us has released the partition, but not for long: the claim fences it in any case. */
export async function awaitRelease(options: RuntimeOptions, topics: ActorTopics, partition: number): Promise<void> {
  const { log, clock, handoverTimeoutMs = 5_000 } = options;
  for (const until = clock.now() + handoverTimeoutMs; clock.now() < until; ) {
    if (await released(log, topics, partition)) return;
    await pause(clock, POLL_MS);
  }
}
