import { MirrorWorld } from './mirror-world.ts';
import { stepAt } from '../../../snapshots/testing/killed-snapshots.ts';

export const STEPS = 240;
export const steps = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => stepAt(from + n));

/** Takes over what another process published; is killed at the crash point that the environment names. */
async function main(dir: string): Promise<void> {
  const world = await MirrorWorld.open(dir);
  await world.remember(steps(0, STEPS));
  await world.take('B');
  process.stdout.write('end\n');
}

if (process.argv[1]?.endsWith('killed-filling.ts')) await main(process.argv[2]);
