import type { Verification } from './contract.ts';
import type { Database } from './directory.ts';
import type { Block } from './block.ts';
import { decodeImage, imageMatches } from './image.ts';
import { KeyType, numberedKey } from './keys.ts';
import type { BlockTable } from './manifest.ts';
import { recordMatches } from './record.ts';
import type { StateSchema } from './schema.ts';

const BLOCKS_AT_ONCE = 32;
const RECORDS_AT_ONCE = 256;

/** Reads all that the snapshot needs, a few blocks at a time, and checks it without keeping it. */
export async function verifyBlocks(
  db: Database,
  table: BlockTable,
  schemas: readonly StateSchema[],
  blocksPerKind: number,
): Promise<Verification> {
  const ids = [...table.numbers.keys()].filter((id) => table.numbers[id] !== 0);
  const corrupt: number[] = [];
  let bytes = 0;
  for (let at = 0; at < ids.length; at += BLOCKS_AT_ONCE) {
    const some = ids.slice(at, at + BLOCKS_AT_ONCE);
    const keys = some.map((id) => numberedKey(table.numbers[id], KeyType.image, id, 0));
    const images = await readAll(db, keys);
    for (let i = 0; i < some.length; i++) {
      const image = images[i];
      bytes += image?.length ?? 0;
      const sound =
        image !== undefined &&
        imageMatches(image, table.crcs[some[i]]) &&
        (await recordsSound(
          db,
          decodeImage(image, some[i], schemas[Math.floor(some[i] / blocksPerKind)], () => {}),
        ));
      if (!sound) corrupt.push(some[i]);
    }
  }
  return { blocks: ids.length, bytes, corrupt };
}

async function recordsSound(db: Database, block: Block): Promise<boolean> {
  const keys = [...recordKeys(block, 'sideSnapshot', KeyType.side), ...recordKeys(block, 'lifeSnapshot', KeyType.life)];
  for (let at = 0; at < keys.length; at += RECORDS_AT_ONCE) {
    const some = keys.slice(at, at + RECORDS_AT_ONCE);
    const records = await readAll(db, some);
    if (!records.every((record, i) => recordMatches(some[i], record))) return false;
  }
  return true;
}

function recordKeys(block: Block, column: string, type: KeyType): Buffer[] {
  const c = block.schema.index(column);
  const keys: Buffer[] = [];
  for (let slot = 0; slot < block.count; slot++) {
    const number = block.get(c, slot);
    if (number !== 0) keys.push(numberedKey(number, type, block.id, slot));
  }
  return keys;
}

/** Values by key; undefined where one is missing or cannot be read. */
async function readAll(db: Database, keys: Buffer[]): Promise<(Buffer | undefined)[]> {
  try {
    return await db.getMany(keys);
  } catch {
    return Promise.all(keys.map((key) => db.get(key).catch(() => undefined)));
  }
}
