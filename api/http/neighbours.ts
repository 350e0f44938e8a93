import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { TableReader } from '../../runtime/system/engine.ts';

/** Another asset that held the same slot; `told` says how it is known. */
export interface Neighbour {
  readonly serial: string;
  readonly told: 'record' | 'slot';
}

interface Installation {
  readonly siteId: string;
  readonly slot: string;
  readonly fromTime: string;
  readonly toTime: string | null;
  readonly replaces: Neighbour | null;
  readonly replacedBy: Neighbour | null;
}

/** What is read here of the story that an engine tells. */
export interface LifeStory {
  readonly installations: readonly Installation[];
  readonly replaces: Neighbour | null;
  readonly replacedBy: Neighbour | null;
}

/** One asset after another in a slot, as the tables know it. */
interface Change {
  readonly siteId: string;
  readonly slot: string;
  readonly before: string;
  readonly after: string;
  readonly enteredMs: number;
}

const MAX_CHANGES = 1000;
const QUESTION = `SELECT site_id, slot, old_serial, new_serial, entered_time
  FROM replacements WHERE old_serial = ? OR new_serial = ? ORDER BY entered_time`;

/**
 * The story with the neighbours of each installation. An actor speaks for itself only, so what its own records leave
 * out is joined here, when it is read: who held the slot before and after, and what the records of those say.
 */
export async function withNeighbours<S extends LifeStory>(
  serial: string,
  story: S,
  askStory: (serial: string) => Promise<LifeStory | null>,
  tables: TableReader,
): Promise<S> {
  const known = story.installations.every((i) => i.replaces !== null && i.replacedBy !== null);
  const changes = known ? [] : await changesOf(serial, tables);
  const others = new Set(changes.flatMap(({ before, after }) => [before, after]).filter((other) => other !== serial));
  const stories = new Map(
    await Promise.all([...others].map(async (other) => [other, (await askStory(other))?.installations ?? []] as const)),
  );
  const installations = story.installations.map((one) => {
    const here = changes.filter((c) => c.siteId === one.siteId && c.slot === one.slot);
    const from = Date.parse(one.fromTime);
    const entry = here.find((c) => c.after === serial && c.enteredMs === from);
    const exit = here.find((c) => c.before === serial && c.enteredMs > from);
    const says = (other: string, side: 'replaces' | 'replacedBy') =>
      stories.get(other)?.some((i) => i.siteId === one.siteId && i.slot === one.slot && i[side]?.serial === serial) ??
      false;
    return {
      ...one,
      replaces: one.replaces ?? neighbour(entry?.before, (other) => says(other, 'replacedBy')),
      replacedBy: one.replacedBy ?? neighbour(exit?.after, (other) => says(other, 'replaces')),
    };
  });
  const last = installations.at(-1);
  return { ...story, installations, replaces: last?.replaces ?? null, replacedBy: last?.replacedBy ?? null };
}

/** The story without what was joined to it: what the asset's own records say of its neighbours. */
export function ownWords(story: LifeStory): LifeStory {
  const told = (one: Neighbour | null) => (one?.told === 'record' ? one : null);
  const installations = story.installations.map((one) => ({
    ...one,
    replaces: told(one.replaces),
    replacedBy: told(one.replacedBy),
  }));
  return { installations, replaces: told(story.replaces), replacedBy: told(story.replacedBy) };
}

function neighbour(serial: string | undefined, saysSo: (other: string) => boolean): Neighbour | null {
  return serial === undefined ? null : { serial, told: saysSo(serial) ? 'record' : 'slot' };
}

/** Nothing where no sink keeps such a table: then the story stands on records alone. */
async function changesOf(serial: string, tables: TableReader): Promise<Change[]> {
  try {
    const { rows } = await tables.query(QUESTION, [serial, serial], MAX_CHANGES);
    return rows.map(([siteId, slot, before, after, entered]) => ({
      siteId: siteId as string,
      slot: slot as string,
      before: before as string,
      after: after as string,
      enteredMs: Date.parse(entered as string),
    }));
  } catch (error) {
    if (error instanceof GridfoldError && error.code === 'sql_refused') return [];
    throw error;
  }
}
