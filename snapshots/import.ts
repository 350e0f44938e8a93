import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { GridfoldError } from '../runtime/kernel/errors.ts';
import type { PartitionStateOptions } from './contract.ts';
import { createDatabase, type Database, FORMAT, writeLayout } from './directory.ts';
import { KeyType, manifestKey, numberedRange, placeOf, segmentPlaceOf } from './keys.ts';
import { decodeManifest, type Manifest } from './manifest.ts';
import type { MirroredSnapshot, StateRow } from './mirrored.ts';
import { NamedRows } from './named.ts';
import { recordMatches } from './record.ts';
import { segmentMatches } from './window.ts';

const BATCH_BYTES = 1 << 20;
const KEYS_AT_ONCE = 1000;

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
    await load(db, manifest, mirrored);
    await check(db, manifest, options, mirrored);
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

async function load(db: Database, manifest: Manifest, mirrored: MirroredSnapshot): Promise<void> {
  let batch: Operation[] = [];
  let bytes = 0;
  for await (const rows of mirrored.rows()) {
    for (const row of rows) {
      if (!belongs(row, manifest)) continue;
      const { key, value } = row;
      batch.push(value === null ? { type: 'del', key } : { type: 'put', key, value });
      bytes += key.length + (value?.length ?? 0);
    }
    if (bytes < BATCH_BYTES) continue;
    await db.batch(batch);
    batch = [];
    bytes = 0;
  }
  await db.batch(batch);
}

/** Whether the snapshot can need the row: rows of a snapshot that never became whole may stand among them. */
function belongs({ key, value }: StateRow, { number, table }: Manifest): boolean {
  const segment = segmentPlaceOf(key);
  if (segment !== null) {
    if (segment.position >= table.windowEnds[segment.block]) return false;
    if (value !== null && !segmentMatches(key, value)) throw damaged(number, `a window of block ${segment.block}`);
    return true;
  }
  const place = placeOf(key);
  if (place === null || place.number > number) return false;
  if (place.type === KeyType.image) return table.numbers[place.block] === place.number;
  if (value !== null && !recordMatches(key, value)) throw damaged(number, `a record of block ${place.block}`);
  return true;
}

/** Every image is whole, and every record that an image names is there; records that none names go. */
async function check(
  db: Database,
  { table }: Manifest,
  { schemas }: PartitionStateOptions,
  { number, layout: { blocksPerKind } }: MirroredSnapshot,
): Promise<void> {
  const named = await NamedRows.of({ db, table, schemas, blocksPerKind }).catch((cause: unknown) => {
    throw damaged(number, String(cause), { cause });
  });
  let records = 0;
  const keys = db.keys(numberedRange);
  try {
    for (let some = await keys.nextv(KEYS_AT_ONCE); some.length > 0; some = await keys.nextv(KEYS_AT_ONCE)) {
      const unnamed = some.filter((key) => !named.has(key));
      if (unnamed.length > 0) await db.batch(unnamed.map((key) => ({ type: 'del', key })));
      for (const key of some) if (placeOf(key)?.type !== KeyType.image) records += 1;
      records -= unnamed.length;
    }
  } finally {
    await keys.close();
  }
  if (records !== named.records) throw damaged(number, `${named.records - records} records are missing`);
}

function replace(dir: string, fresh: string): void {
  const old = `${dir}.old`;
  rmSync(old, { recursive: true, force: true });
  if (existsSync(dir)) renameSync(dir, old);
  renameSync(fresh, dir);
  rmSync(old, { recursive: true, force: true });
}

function damaged(number: number, what: string, options?: ErrorOptions): GridfoldError {
  return new GridfoldError('mirror_damaged', 'retry', `snapshot ${number} in the log cannot be used: ${what}`, options);
}
