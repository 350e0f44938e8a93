import { Arena, type Piece } from './arena.ts';
import { Block, type WindowCursor } from './block.ts';
import { GridfoldError } from '../runtime/kernel/errors.ts';
import { crashPoint } from '../runtime/kernel/crash.ts';
import { deleteNumbers, deleteObsolete, deleteSegments } from './cleanup.ts';
import type {
  PartitionState,
  PartitionStateOptions,
  SnapshotFigures,
  SnapshotMeta,
  Verification,
  WindowFilling,
} from './contract.ts';
import {
  type Database,
  findManifest,
  type Found,
  type Layout,
  noteUnclean,
  openDirectory,
  repairDirectory,
  writeLayout,
} from './directory.ts';
import { SnapshotExport } from './export.ts';
import { Filling } from './filling.ts';
import { importSnapshot } from './import.ts';
import { decodeImage, encodeImage, imageMatches } from './image.ts';
import { KeyType, NUMBERED_KEY_BYTES, manifestKey, numberedKey, obsoleteRange, numberOf } from './keys.ts';
import { type BlockTable, copyTable, decodeManifest, emptyTable } from './manifest.ts';
import { type ExportedSnapshot, type MirroredSnapshot, nameOf, type SnapshotName } from './mirrored.ts';
import { Names } from './names.ts';
import { complete as completeReplacement, takeBack } from './replace.ts';
import type { StateSchema } from './schema.ts';
import { SideRecords } from './sides.ts';
import { type Cut, type SnapshotTarget, writeSnapshot } from './snapshot.ts';
import { verifyBlocks } from './verify.ts';
import { Windows } from './window.ts';

const GIB = 2 ** 30;
const PENDING = 1;
const COPIED = 2;
/** Objects of a resident block beside its buffers. */
const BLOCK_OBJECT_BYTES = 1500;

/**
 * Opens the state of one partition at its newest usable snapshot, or empty when it never had one.
 *
 * Throws GridfoldError `state_lost` (no snapshot can be used), `state_layout` (kinds do not fit the directory),
 * `state_locked`, `mirror_damaged` (what shall replace the directory cannot be trusted). Later, what turns out damaged
 * throws `block_corrupt` or `window_corrupt`: open again with `skipNewest`; or `state_lost` where that does not help.
 */
export async function openPartitionState(options: PartitionStateOptions): Promise<PartitionState> {
  await takeBack(options.dir);
  if (!options.replaceWith) return open(options);
  const windows = await importSnapshot(options, options.replaceWith);
  const state = await open(options);
  state.fill(options.replaceWith, windows);
  return state;
}

async function open(options: PartitionStateOptions): Promise<PartitionStore> {
  try {
    return await restore(options);
  } catch (error) {
    if (error instanceof GridfoldError) throw error;
    options.message('warn', `${options.dir} cannot be read and is repaired; its contents are checked when used`, {
      error,
    });
  }
  await repairDirectory(options.dir);
  try {
    return await restore({ ...options, startEmpty: false });
  } catch (error) {
    if (error instanceof GridfoldError) throw error;
    const message = `${options.dir} cannot be read: open it with startEmpty to fold the log again`;
    throw new GridfoldError('state_lost', 'stop', message, { cause: error });
  }
}

async function restore(options: PartitionStateOptions): Promise<PartitionStore> {
  const { db, layout } = await openDirectory(options);
  try {
    const blocks = options.schemas.length * layout.blocksPerKind;
    const found = await findManifest(db, layout, blocks, options);
    await discardNewer(db, found);
    return new PartitionStore(options, db, layout, found);
  } catch (error) {
    await db.close();
    noteUnclean(options.dir, 0);
    throw error;
  }
}

/** Manifests above the restored one, and what they call obsolete, must never be read again. */
async function discardNewer(db: Database, found: Found): Promise<void> {
  const restored = found.manifest?.number ?? 0;
  const keys = found.numbers.filter((number) => number > restored).map(manifestKey);
  for await (const key of db.keys(obsoleteRange)) if (numberOf(key) > restored) keys.push(key);
  if (keys.length > 0)
    await db.batch(
      keys.map((key) => ({ type: 'del', key })),
      { sync: true },
    );
}

class PartitionStore implements PartitionState {
  readonly blocksPerKind: number;
  readonly restored: SnapshotMeta | null;
  readonly due: Float64Array;
  readonly unpublished: Uint8Array;
  readonly #options: PartitionStateOptions;
  readonly #db: Database;
  #layout: Layout;
  readonly #resident: (Block | null)[];
  readonly #sides: SideRecords;
  readonly #lives: SideRecords;
  readonly #windows: Windows;
  readonly #names: Names;
  readonly #arena = new Arena();
  /** As of the newest durable snapshot. */
  #table: BlockTable;
  #number: number;
  /** Window ends of the snapshot before: nothing it reaches may be deleted. */
  #olderWindowEnds: Float64Array;
  #hasOlder: boolean;
  #manifests: number[];
  #lastNumber: number;
  /** Numbers of snapshots that never became durable, as ranges. */
  #garbage: [from: number, to: number][] = [];
  /** Side record keys replaced since the newest durable snapshot. */
  #replaced: Buffer[] = [];
  readonly #segmentsDeletedTo: Float64Array;
  #cut: Cut | null = null;
  #running: Promise<unknown> | null = null;
  #filling: Filling | null = null;
  #isFilled = true;
  #abort: (error: GridfoldError) => void = () => {};
  #closed = false;
  /** A snapshot became durable since the directory was opened. */
  #proven = false;

  constructor(options: PartitionStateOptions, db: Database, layout: Layout, found: Found) {
    const blocks = options.schemas.length * layout.blocksPerKind;
    const source = { getSync: (key: Buffer) => this.#read(key), corrupt: (what: string) => this.#blockCorrupt(what) };
    const sideBytes = options.sideCacheBytes ?? 8 * 2 ** 20;
    this.#options = options;
    this.#db = db;
    this.#layout = layout;
    this.blocksPerKind = layout.blocksPerKind;
    this.restored = found.manifest?.meta ?? null;
    this.#number = found.manifest?.number ?? 0;
    this.#table = found.manifest?.table ?? emptyTable(blocks);
    this.#olderWindowEnds = (found.older ?? found.manifest)?.table.windowEnds ?? new Float64Array(blocks);
    // Two snapshots are kept: behind a skipped one stands no third that could be whole.
    this.#hasOlder = found.older !== null && !options.skipNewest;
    this.#manifests = found.numbers.filter((number) => number <= this.#number);
    this.#lastNumber = found.highest;
    if (found.highest > this.#number) this.#garbage.push([this.#number + 1, found.highest]);
    this.due = found.manifest?.due ?? new Float64Array(blocks).fill(Number.POSITIVE_INFINITY);
    this.unpublished = found.manifest?.unpublished ?? new Uint8Array(blocks);
    this.#names = new Names(found.manifest?.names ?? []);
    this.#resident = new Array<Block | null>(blocks).fill(null);
    this.#segmentsDeletedTo = new Float64Array(blocks);
    this.#sides = new SideRecords(KeyType.side, 'sideSnapshot', source, sideBytes / 2);
    this.#lives = new SideRecords(KeyType.life, 'lifeSnapshot', source, sideBytes / 2);
    const isFilled = () => this.#isFilled;
    const segments = {
      get isComplete() {
        return isFilled();
      },
      getSync: source.getSync,
      corrupt: (block: number, position: number, what: string) => this.#windowCorrupt(block, position, what),
      batch: (puts: { type: 'put'; key: Buffer; value: Buffer }[]) => db.batch(puts),
    };
    const reach = options.windowBytesPerBlock ?? 4 * 2 ** 20;
    this.#windows = new Windows(segments, options.windowChunkBytes ?? 8192, reach);
  }

  block(id: number): Block | null {
    const resident = this.#resident[id];
    if (resident !== null) return resident;
    const number = this.#table.numbers[id];
    if (number === 0) return null;
    const image = this.#read(numberedKey(number, KeyType.image, id, 0));
    if (image === undefined || !imageMatches(image, this.#table.crcs[id])) {
      throw this.#blockCorrupt(`block ${id}, written by snapshot ${number}, is ${image ? 'damaged' : 'missing'}`);
    }
    const schema = this.#options.schemas[Math.floor(id / this.blocksPerKind)];
    const block = decodeImage(image, id, schema, this.#options.message);
    this.#resident[id] = block;
    return block;
  }

  blockOrCreate(id: number, schema: StateSchema): Block {
    return this.block(id) ?? (this.#resident[id] = new Block(id, schema));
  }

  change(block: Block): void {
    if (this.#resident[block.id] !== block) {
      const message = `block ${block.id} was let go: look it up in every turn that changes it`;
      throw new GridfoldError('block_not_resident', 'stop', message);
    }
    if (this.#cut !== null && this.#cut.pending[block.id] === PENDING) this.#freeze(block);
    block.dirty = true;
  }

  blockIds(): readonly number[] {
    const ids: number[] = [];
    for (let id = 0; id < this.#resident.length; id++) {
      if (this.#resident[id] !== null || this.#table.numbers[id] !== 0) ids.push(id);
    }
    return ids;
  }

  get assets(): number {
    let assets = 0;
    for (let id = 0; id < this.#resident.length; id++) assets += this.#resident[id]?.count ?? this.#table.assets[id];
    return assets;
  }

  get residentBytes(): number {
    let bytes = this.#sides.bytes + this.#lives.bytes + this.#windows.bytes;
    for (const block of this.#resident) if (block !== null) bytes += block.bytes + BLOCK_OBJECT_BYTES;
    return bytes;
  }

  read(block: Block, slot: number): object | null {
    return this.#sides.read(block, slot);
  }

  write(block: Block, slot: number, value: object | null): void {
    this.change(block);
    this.#sides.write(block, slot, value);
  }

  readLife(block: Block, slot: number): object | null {
    return this.#lives.read(block, slot);
  }

  writeLife(block: Block, slot: number, value: object | null): void {
    this.change(block);
    this.#lives.write(block, slot, value);
  }

  appendWindow(block: Block, entry: Uint8Array, length: number): void {
    this.change(block);
    this.#windows.append(block, entry, length);
  }

  scanWindow(block: Block, visit: (bytes: Uint8Array, start: number, end: number) => boolean): void {
    this.#windows.scan(block, visit);
  }

  get filling(): WindowFilling | null {
    return this.#isFilled ? null : this.#filling;
  }

  /** Begins to bring the windows of the mirrored snapshot that the directory was made from. */
  fill(mirrored: MirroredSnapshot, windows: ReadonlyMap<number, WindowCursor>): void {
    const deletable = (end: number) => this.#windows.deletable(end);
    const complete = () => {
      this.#isFilled = true;
      return completeReplacement(this.#options.dir);
    };
    this.#isFilled = false;
    this.#filling = new Filling({ db: this.#db, mirrored, windows, deletable, complete });
  }

  intern(name: string): number {
    return this.#names.intern(name);
  }

  name(index: number): string | null {
    return this.#names.name(index);
  }

  get snapshotting(): boolean {
    return this.#running !== null;
  }

  snapshot(meta: SnapshotMeta, confirmed: Promise<void>): Promise<SnapshotFigures> {
    if (this.#running !== null || this.#closed || !this.#isFilled) {
      const reason = this.#running !== null ? 'a snapshot is running' : 'windows are still being brought';
      const message = this.#closed ? 'the partition state is closed' : reason;
      return Promise.reject(new GridfoldError('snapshot_refused', 'retry', message));
    }
    const cut = this.#takeCut(meta);
    const aborted = new Promise<never>((_, reject) => {
      this.#abort = reject;
    });
    const commit = Promise.race([confirmed, aborted]);
    commit.catch(() => {});
    const done = this.#write(cut, commit).finally(() => {
      this.#running = null;
    });
    this.#running = done;
    return done;
  }

  async snapshots(): Promise<readonly SnapshotName[]> {
    const rows = await Promise.all(this.#manifests.map((number) => this.#db.get(manifestKey(number))));
    return rows
      .flatMap((row, i) => (row === undefined || row.length < 4 ? [] : [nameOf(this.#manifests[i], row)]))
      .slice(0, 2);
  }

  async export(base: { readonly number: number; readonly manifest: Buffer } | null): Promise<ExportedSnapshot | null> {
    const [number, table] = [this.#number, this.#table];
    const manifestRow = number === 0 ? undefined : await this.#db.get(manifestKey(number));
    if (manifestRow === undefined) return null;
    const { schemas } = this.#options;
    const { blocksPerKind } = this;
    const layout = { blocksPerKind, kinds: schemas.map((schema) => schema.name) };
    const source = {
      stored: { db: this.#db, table },
      layout,
      name: nameOf(number, manifestRow),
      manifestRow,
      deletable: (end: number) => this.#windows.deletable(end),
    };
    return new SnapshotExport(
      source,
      base === null ? null : decodeManifest(base.number, base.manifest, this.#resident.length),
    );
  }

  passNumbers(upTo: number): void {
    this.#lastNumber = Math.max(this.#lastNumber, upTo);
  }

  async verify(): Promise<Verification> {
    return verifyBlocks(this.#db, this.#table, this.#options.schemas, this.blocksPerKind);
  }

  passivate(): number {
    const limit = this.#options.maxResidentBytes ?? GIB;
    let bytes = this.residentBytes;
    if (bytes <= limit) return 0;
    const candidates: Block[] = [];
    for (const block of this.#resident) {
      if (block !== null && !block.dirty && !this.#cut?.pending[block.id]) candidates.push(block);
    }
    candidates.sort((a, b) => a.touched - b.touched || a.id - b.id);
    let went = 0;
    for (const block of candidates) {
      if (bytes <= limit) break;
      this.#resident[block.id] = null;
      bytes -= block.bytes + BLOCK_OBJECT_BYTES;
      went++;
    }
    return went;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#abort(new GridfoldError('snapshot_refused', 'retry', 'the partition state was closed before its commit'));
    await this.#running?.catch(() => {});
    await this.#filling?.stop();
    await this.#db.close();
    noteUnclean(this.#options.dir, 0);
  }

  #takeCut(meta: SnapshotMeta): Cut {
    const ids: number[] = [];
    const pending = new Uint8Array(this.#resident.length);
    for (const block of this.#resident) {
      if (block === null || !block.dirty) continue;
      ids.push(block.id);
      pending[block.id] = PENDING;
    }
    this.#cut = {
      number: ++this.#lastNumber,
      meta,
      ids,
      pending,
      frozen: [],
      table: copyTable(this.#table),
      due: this.due.slice(),
      unpublished: this.unpublished.slice(),
      names: this.#names.copy(),
    };
    return this.#cut;
  }

  /** Copies a block of the cut as it is now; whoever changes it next changes nothing of the snapshot. */
  #freeze(block: Block): void {
    const cut = this.#cut!;
    cut.pending[block.id] = COPIED;
    this.#windows.close(block);
    const replaced = (key: Buffer) => this.#replaced.push(key);
    this.#sides.freeze(block, cut.number, this.#number, replaced);
    this.#lives.freeze(block, cut.number, this.#number, replaced);
    let image: Piece | null = null;
    encodeImage(block, (size) => {
      image = this.#arena.take(size);
      return image.bytes;
    });
    cut.frozen.push({ id: block.id, image: image!, assets: block.count, windowEnd: block.window.end });
    block.dirty = false;
  }

  async #write(cut: Cut, confirmed: Promise<void>): Promise<SnapshotFigures> {
    const target: SnapshotTarget = {
      db: this.#db,
      windows: this.#windows,
      sides: this.#sides,
      lives: this.#lives,
      freeze: (id) => this.#freeze(this.#resident[id]!),
      obsolete: () => this.#obsoleteKeys(cut),
    };
    let figures: SnapshotFigures;
    try {
      figures = await writeSnapshot(target, cut, confirmed);
    } catch (error) {
      this.#revert(cut);
      throw error;
    }
    const previous = this.#settle(cut);
    try {
      await this.#cleanUp(cut, previous);
    } catch (error) {
      this.#options.message('warn', `snapshot ${cut.number} is durable, but older data could not be deleted yet`, {
        error,
      });
    }
    crashPoint('snapshot.5');
    return figures;
  }

  /** Images that the cut replaces, and side records replaced since the newest durable snapshot. */
  #obsoleteKeys(cut: Cut): Buffer {
    const keys = [...this.#replaced];
    for (const id of cut.ids) {
      const number = this.#table.numbers[id];
      if (number !== 0) keys.push(numberedKey(number, KeyType.image, id, 0));
    }
    return Buffer.concat(keys, keys.length * NUMBERED_KEY_BYTES);
  }

  /** The cut is durable. Returns the number of the snapshot before it. */
  #settle(cut: Cut): number {
    const previous = this.#number;
    this.#olderWindowEnds = this.#table.windowEnds;
    this.#table = cut.table;
    this.#number = cut.number;
    this.#hasOlder = previous !== 0;
    this.#replaced = [];
    this.#sides.settle();
    this.#lives.settle();
    this.#cut = null;
    return previous;
  }

  /** The cut failed: everything in it counts as changed, and what it wrote is garbage. */
  #revert(cut: Cut): void {
    for (const id of cut.ids) {
      const block = this.#resident[id];
      if (block !== null) block.dirty = true;
    }
    for (const { image } of cut.frozen) image.release();
    this.#sides.revert();
    this.#lives.revert();
    this.#garbage.push([cut.number, cut.number]);
    this.#cut = null;
  }

  async #cleanUp(cut: Cut, previous: number): Promise<void> {
    if (!this.#proven) noteUnclean(this.#options.dir, 1);
    this.#proven = true;
    if (!this.#layout.snapshots) {
      this.#layout = { ...this.#layout, snapshots: true };
      writeLayout(this.#options.dir, this.#layout);
    }
    await deleteObsolete(
      this.#db,
      this.#manifests.filter((number) => number !== previous),
      previous,
    );
    this.#manifests = previous === 0 ? [cut.number] : [cut.number, previous];
    for (const [from, to] of this.#garbage) await deleteNumbers(this.#db, from, to);
    this.#garbage = [];
    for (const id of cut.ids) {
      const to = this.#windows.deletable(this.#olderWindowEnds[id]);
      const from = this.#segmentsDeletedTo[id];
      if (to - from < this.#windows.deletionStep) continue;
      await deleteSegments(this.#db, id, from, to);
      this.#segmentsDeletedTo[id] = to;
    }
  }

  #read(key: Buffer): Buffer | undefined {
    try {
      return this.#db.getSync(key);
    } catch (error) {
      if (this.#closed) throw error;
      this.#options.message('error', `a value in ${this.#options.dir} cannot be read`, { error });
      return undefined;
    }
  }

  #blockCorrupt(what: string): GridfoldError {
    return this.#hasOlder ? skipNewest('block_corrupt', what) : stateLost(what);
  }

  /** The snapshot before has the same segments up to where its window ended. */
  #windowCorrupt(block: number, position: number, what: string): GridfoldError {
    const isOlderSound = this.#hasOlder && position >= this.#olderWindowEnds[block];
    return isOlderSound ? skipNewest('window_corrupt', what) : stateLost(what);
  }
}

function skipNewest(code: string, what: string): GridfoldError {
  return new GridfoldError(code, 'retry', `${what}: open the directory with skipNewest and replay`);
}

function stateLost(what: string): GridfoldError {
  const message = `${what} and no older snapshot is sound: open the directory with startEmpty and fold the log again`;
  return new GridfoldError('state_lost', 'stop', message);
}
