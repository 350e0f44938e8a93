import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { decodePosition, startPosition } from '../../../runtime/shard/position.ts';
import { compareStates, openState } from '../../crash/states.ts';
import type { Differ, Refolded } from './refold.ts';

/**
 * The newest state of each partition among the folders of processes that have ended: that of its last owner, who left
 * a snapshot of all that was committed. Every asset of it is compared, column by column; returns how many there are.
 */
export async function compareStateFolders(dataDirs: readonly string[], refolded: readonly Refolded[], differ: Differ) {
  let assets = 0;
  for (const { fold } of refolded) {
    const name = `${fold.type.name}-${fold.partition}`;
    const wanted = JSON.stringify(fold.position);
    const found: string[] = [];
    for (const dir of dataDirs.map((d) => join(d, 'state', name)).filter(existsSync)) {
      const state = await openState(dir, fold.type);
      // Where nothing was ever committed there is no snapshot either.
      const position = JSON.stringify(
        state.restored === null ? startPosition() : decodePosition(state.restored.position),
      );
      found.push(position);
      if (position === wanted) assets += compareStates(fold.state, state, (text) => differ(`${dir}: ${text}`));
      await state.close();
    }
    if (!found.includes(wanted)) differ(`${name}: nobody kept a snapshot of ${wanted}, but of ${found}`);
  }
  return assets;
}
