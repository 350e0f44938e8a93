import { openPartitionState } from '../open.ts';
import { metaOf, testOptions } from './fixture.ts';
import { apply, emptyModel, type Step } from './model.ts';

/** The n-th step of a run that goes on for ever and touches everything a snapshot holds. */
export function stepAt(n: number): Step {
  const asset = (n * 7) % 23;
  if (n % 5 === 0) return { type: 'side', asset, value: n % 3 === 0 ? null : n };
  if (n % 7 === 0) return { type: 'life', asset, value: n };
  if (n % 11 === 0) return { type: 'intern', value: n % 9 };
  return n % 2 === 0 ? { type: 'append', asset, length: 20 + (n % 40) } : { type: 'change', asset, value: n };
}

export const killOptions = { windowBytesPerBlock: 600, windowChunkBytes: 128 };

/** Says on stdout which position is durable; is killed at the crash point that the environment names. */
async function main(dir: string): Promise<void> {
  const state = await openPartitionState(testOptions(dir, killOptions));
  const model = emptyModel();
  for (let round = 1; round <= 8; round++) {
    for (let n = 0; n < 50; n++) apply(state, model, stepAt(model.position));
    const running = state.snapshot(metaOf(model.position), Promise.resolve());
    for (let n = 0; n < 20; n++) apply(state, model, stepAt(model.position));
    await running;
    process.stdout.write(`${model.position - 20}\n`);
  }
  process.stdout.write('end\n');
}

if (process.argv[1]?.endsWith('killed-snapshots.ts')) await main(process.argv[2]);
