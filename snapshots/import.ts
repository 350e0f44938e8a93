import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import type { PartitionStateOptions } from './contract.ts';
import { createDatabase, type Database, FORMAT, writeLayout } from './directory.ts';
import { manifestKey, segmentPlaceOf } from './keys.ts';
import { decodeManifest, type Manifest } from './manifest.ts';
import type { MirroredSnapshot, StateRow } from './mirrored.ts';
import { damaged, RestoredRows } from './restored-rows.ts';
import { segmentMatches } from './window.ts';

const BATCH_BYTES = 1 << 20;

type Operation = { type: 'put'; key: Buffer; value: Buffer } | { type: 'del'; key: Buffer };

/**
 * Replaces the partition's directory by a mirrored snapshot. It is built beside the old one and takes its place when
 * everything in it was checked: until then the old one stays as it is.
 *
 * Throws GridfoldError `mirror_damaged` when the rows do not make up the snapshot.
 */
export async function importSnapshot(options: PartitionStateOptions, mirrored: MirroredSnapshot): Promise<void> {
  const { dir, schemas } = options;
  const manifest = checkedManifest(options, mirrored);
  const fresh = `${dir}.mirror`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  const db = await createDatabase(fresh);
  try {
    await load(db, manifest, options, mirrored);
    await db.put(manifestKey(mirrored.number), mirrored.manifest, { sync: true });
  } finally {
    await db.close();
  }
  const kinds = schemas.map((schema) => schema.name);
  writeLayout(fresh, { format: FORMAT, blocksPerKind: mirrored.layout.blocksPerKind, kinds, snapshots: true });
  replace(dir, fresh);
}

/** Throws `mirror_damaged` too where the kinds are not those of this release: they may only grow at the end. */
function checkedManifest({ schemas }: PartitionStateOptions, { number, manifest, layout }: MirroredSnapshot): Manifest {
  const moved = layout.kinds.findIndex((kind, i) => schemas[i]?.name !== kind);
  if (moved >= 0) throw damaged(number, `its state ${layout.kinds[moved]} is not in place ${moved} here`);
  const decoded = decodeManifest(number, manifest, layout.blocksPerKind * schemas.length);
  if (decoded === null) throw damaged(number, 'its manifest cannot be read');
  return decoded;
}

async function load(
  db: Database,
  manifest: Manifest,
  { schemas }: PartitionStateOptions,
  mirrored: MirroredSnapshot,
): Promise<void> {
  const restored = new RestoredRows(manifest, schemas);
  let batch: Operation[] = [];
  let bytes = 0;
  for await (const rows of mirrored.rows()) {
    for (const row of rows) {
      if (!isSegment(row, manifest) && !restored.takes(row)) continue;
      const { key, value } = row;
      batch.push(value === null ? { type: 'del', key } : { type: 'put', key, value });
      bytes += key.length + (value?.length ?? 0);
    }
    if (bytes < BATCH_BYTES) continue;
    await db.batch(batch);
    batch = [];
    bytes = 0;
  }
  batch.push(...restored.finish().map((key) => ({ type: 'del' as const, key })));
  await db.batch(batch);
}

/** Whether the row is a segment of a window that the snapshot can need. */
function isSegment({ key, value }: StateRow, { number, table }: Manifest): boolean {
  const segment = segmentPlaceOf(key);
  if (segment === null || segment.position >= table.windowEnds[segment.block]) return false;
  if (value !== null && !segmentMatches(key, value)) throw damaged(number, `a window of block ${segment.block}`);
  return true;
}

function replace(dir: string, fresh: string): void {
  const old = `${dir}.old`;
  rmSync(old, { recursive: true, force: true });
  if (existsSync(dir)) renameSync(dir, old);
  renameSync(fresh, dir);
  rmSync(old, { recursive: true, force: true });
}
