import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { ManualClock } from '../../runtime/kernel/clock.ts';
import { type Log, topics } from '../../runtime/log/contract.ts';
import { openEmbeddedLog } from '../../runtime/log/embedded/embedded.ts';
import { testLog } from '../../runtime/log/kafka/testing/test-log.ts';
import { encodeDeadLetter } from '../../runtime/shard/outputs.ts';
import { describeKafka } from '../../test/kafka/describe-kafka.ts';
import { deadLetterPage } from './dead-letters.ts';

/** Sets lines aside in transactions of their own, so that on Kafka each leaves a hole behind it. */
async function setAside(log: Log, partition: number, ...reasons: string[]): Promise<void> {
  const claim = await log.claim(topics.journal, partition);
  for (const reason of reasons) {
    const letter = { topic: topics.telemetry, partition, offset: 7, timestamp: 0, reason, value: Buffer.from('x') };
    const outputs = new Map([[topics.deadLetters as string, [{ key: null, value: encodeDeadLetter(letter) }]]]);
    await log.commit(claim, { outputs, journal: Buffer.from('j'), position: Buffer.from('p') });
  }
}

async function readAll(log: Log, limit: number): Promise<string[]> {
  const reasons: string[] = [];
  for (let before: string | undefined; ; ) {
    const page = await deadLetterPage(log, { limit, before });
    reasons.push(...page.items.map(({ reason }) => reason));
    if (page.next === null) return reasons;
    before = page.next;
  }
}

async function showAll(log: Log): Promise<void> {
  await setAside(log, 0, 'a', 'b', 'c');
  await setAside(log, 1, 'd', 'e');
  await vi.waitFor(async () => expect(await readAll(log, 100)).toEqual(['c', 'b', 'a', 'e', 'd']), 10_000);
  for (const limit of [1, 2, 3]) expect(await readAll(log, limit)).toEqual(['c', 'b', 'a', 'e', 'd']);
}

test('pages of dead letters, on the embedded log', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gridfold-letters-'));
  const log = await openEmbeddedLog({ dir: join(dir, 'log'), partitions: 2, clock: new ManualClock() });
  await showAll(log);
  await log.close();
  rmSync(dir, { recursive: true });
});

describeKafka('pages of dead letters on Kafka, whose offsets have holes', ({ bootstrap }) => {
  test('show every letter once', { timeout: 60_000 }, async () => {
    const rig = await testLog(await bootstrap());
    await showAll(rig.log);
    await rig.destroy();
  });
});
