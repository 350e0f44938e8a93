import { readFile, rename, writeFile } from 'node:fs/promises';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { SavedFleet } from './fleet.ts';

/** Writes the fleet so that the file is always a whole one: the old or the new. */
export async function saveFleet(file: string, fleet: SavedFleet): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(fleet));
  await rename(`${file}.new`, file);
}

/** The saved fleet, or null when there is none. Throws GridfoldError `sim_state_unreadable`. */
export async function loadFleet(file: string): Promise<SavedFleet | null> {
  try {
    const saved = JSON.parse(await readFile(file, 'utf8')) as SavedFleet;
    if (saved.format !== 1 || !Array.isArray(saved.homes) || !Array.isArray(saved.pending))
      throw new Error('not a saved fleet');
    return saved;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    const message = `The simulated fleet's file ${file} cannot be read (${(error as Error).message}); remove it to start a new fleet`;
    throw new GridfoldError('sim_state_unreadable', 'fix-configuration', message, { cause: error });
  }
}
