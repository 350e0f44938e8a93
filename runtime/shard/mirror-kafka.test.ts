import { expect, test } from 'vitest';
import { stepAt } from '../../snapshots/testing/killed-snapshots.ts';
import { describeKafka } from '../../test/kafka/describe-kafka.ts';
import { testLog } from '../log/kafka/testing/test-log.ts';
import { encodePosition } from './position.ts';
import { MirrorWorld, positionAt, TOPIC } from './testing/mirror-world.ts';

const steps = (from: number, count: number) => Array.from({ length: count }, (_, n) => stepAt(from + n));

describeKafka('snapshots in a topic of Kafka', ({ bootstrap }) => {
  test('a partition moves between disks, over publications that end half-way', { timeout: 120_000 }, async () => {
    const { log, destroy } = await testLog(await bootstrap());
    const world = await MirrorWorld.open(undefined, log);
    try {
      await world.take('A');
      for (const [round, to] of (['B', 'empty', 'A', 'B', 'empty', 'A', 'empty'] as const).entries()) {
        world.fold(steps(round * 40, 30));
        await world.snapshot();
        world.fold(steps(round * 40 + 30, 10));
        await world.snapshot(round % 4);
        await world.take(to);
      }
      expect(world.said.mirror).toBeUndefined();
      expect(world.said.restored_from).toBeGreaterThan(3);
    } finally {
      await world.close();
      await destroy();
    }
  });

  test('an owner that another process has fenced publishes nothing more', { timeout: 60_000 }, async () => {
    const { log, destroy } = await testLog(await bootstrap());
    const world = await MirrorWorld.open(undefined, log);
    try {
      await world.take('A');
      world.fold(steps(0, 20));
      await world.snapshot();
      const { claim, mirror } = world.owner;
      await world.take('B');
      world.fold(steps(20, 20));
      const { state } = world.owner;
      await state.snapshot({ position: encodePosition(positionAt(40)), versions: {} }, Promise.resolve());
      const before = await world.log.latest(TOPIC, 0);
      await expect(mirror.publish(claim, state, positionAt(40))).rejects.toMatchObject({ code: 'log_fenced' });
      expect(await world.log.latest(TOPIC, 0)).toEqual(before);
    } finally {
      await world.close();
      await destroy();
    }
  });
});
