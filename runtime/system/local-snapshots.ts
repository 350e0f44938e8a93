import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Which snapshots this process has of one actor type, beside the state directories and without opening them: one small
 * file a partition, with the commit of its newest snapshot. It only tells the group who recovers soonest; a wrong or
 * missing number costs time and nothing else.
 */
export class LocalSnapshots {
  readonly #dir: string;
  readonly #actor: string;
  readonly #commits = new Map<number, number>();

  constructor(dir: string, actor: string) {
    this.#dir = dir;
    this.#actor = actor;
    mkdirSync(dir, { recursive: true });
    const name = new RegExp(`^${actor}-(\\d+)\\.snapshot$`);
    for (const file of readdirSync(dir)) {
      const partition = name.exec(file)?.[1];
      if (partition === undefined) continue;
      const commit = Number(readFileSync(join(dir, file), 'utf8'));
      if (Number.isSafeInteger(commit)) this.#commits.set(Number(partition), commit);
    }
  }

  /** Commit of the newest snapshot by partition. */
  get all(): ReadonlyMap<number, number> {
    return this.#commits;
  }

  async note(partition: number, commit: number): Promise<void> {
    this.#commits.set(partition, commit);
    await writeFile(join(this.#dir, `${this.#actor}-${partition}.snapshot`), String(commit));
  }
}
