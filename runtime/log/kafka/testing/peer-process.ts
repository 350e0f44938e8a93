import { createInterface } from 'node:readline';
import { Peer } from './peer.ts';

/**
 * A member that the tests end or stop: prints `joined GENERATION` with every assignment, and answers each line of its
 * standard input with `current GENERATION`, or `current null`.
 *
 *   node peer-process.ts NAME BROKER GROUP PARTITIONS SESSION_TIMEOUT_MS
 */
const [name, broker, groupId, partitions, sessionTimeoutMs] = process.argv.slice(2);
const peer = new Peer(name, {
  brokers: [broker],
  groupId,
  partitions: Number(partitions),
  sessionTimeoutMs: Number(sessionTimeoutMs),
});

createInterface({ input: process.stdin }).on('line', () => {
  process.stdout.write(`current ${peer.membership.current?.generation ?? null}\n`);
});
void peer.join();
for (let seen = 0; ; ) {
  const { generation } = await peer.until((assignment) => assignment.generation > seen);
  seen = generation;
  process.stdout.write(`joined ${generation}\n`);
}
