import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crashPoint } from '../runtime/kernel/crash.ts';
import { createDatabase, LAYOUT_FILE } from './directory.ts';
import { GridfoldError } from '../runtime/kernel/errors.ts';

/** Stands in a directory while windows of the mirrored snapshot that it was made from are missing. */
const INCOMPLETE_FILE = 'incomplete';

/** Where a directory is built that shall take the place of `dir`. */
export function freshDirectory(dir: string): string {
  return `${dir}.mirror`;
}

/** Puts what was built in the place of `dir`. Until {@link complete} it does not count: the old one is kept. */
export function replace(dir: string): void {
  const fresh = freshDirectory(dir);
  const file = openSync(join(fresh, INCOMPLETE_FILE), 'w');
  fsyncSync(file);
  closeSync(file);
  rmSync(oldOf(dir), { recursive: true, force: true });
  if (existsSync(dir)) renameSync(dir, oldOf(dir));
  crashPoint('fill.0');
  renameSync(fresh, dir);
}

/** From here on the directory counts. To be called when everything in it is durable. */
export function complete(dir: string): Promise<void> {
  rmSync(join(dir, INCOMPLETE_FILE));
  crashPoint('fill.4');
  return rm(oldOf(dir), { recursive: true, force: true });
}

/**
 * Takes a replacement back that was not completed; to be called before a directory is opened. A process may have ended
 * at any step of replacing, of completing, and of this. Throws GridfoldError `state_locked` where a process fills it now.
 */
export async function takeBack(dir: string): Promise<void> {
  const isIncomplete = existsSync(join(dir, INCOMPLETE_FILE));
  if (isIncomplete) await refuseLocked(dir);
  const isBetween = existsSync(oldOf(dir)) && !existsSync(join(dir, LAYOUT_FILE));
  if (isIncomplete || isBetween) {
    const fresh = freshDirectory(dir);
    rmSync(fresh, { recursive: true, force: true });
    if (existsSync(dir)) renameSync(dir, fresh);
    if (existsSync(oldOf(dir))) renameSync(oldOf(dir), dir);
    rmSync(fresh, { recursive: true, force: true });
  } else rmSync(oldOf(dir), { recursive: true, force: true });
}

async function refuseLocked(dir: string): Promise<void> {
  try {
    await (await createDatabase(dir)).close();
  } catch (error) {
    // It is thrown away, whatever else is wrong with it.
    if (error instanceof GridfoldError && error.code === 'state_locked') throw error;
  }
}

function oldOf(dir: string): string {
  return `${dir}.old`;
}
