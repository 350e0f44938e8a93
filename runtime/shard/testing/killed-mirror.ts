import { stepAt } from '../../../snapshots/testing/killed-snapshots.ts';
import { MirrorWorld } from './mirror-world.ts';

/** Folds and publishes round after round; is killed at the crash point that the environment names. */
async function main(dir: string): Promise<void> {
  const world = await MirrorWorld.open(dir);
  await world.take('A');
  for (let round = 0; round < 8; round++) {
    world.fold(Array.from({ length: 60 }, (_, n) => stepAt(round * 60 + n)));
    await world.snapshot();
  }
  process.stdout.write('end\n');
}

if (process.argv[1]?.endsWith('killed-mirror.ts')) await main(process.argv[2]);
