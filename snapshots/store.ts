import { Arena, type Piece } from './arena.ts';
import { Block, type WindowCursor } from './block.ts';
import { GridfoldError } from '../runtime/kernel/errors.ts';
import { crashPoint } from '../runtime/kernel/crash.ts';
import type {
  PartitionState,
  PartitionStateOptions,
  SnapshotFigures,
  SnapshotMeta,
  Verification,
  WindowFilling,
} from './contract.ts';
import { type Database, type Found, type Layout, noteUnclean, writeLayout } from './directory.ts';
import { SnapshotExport } from './export.ts';
import { Filling } from './filling.ts';
import { Garbage } from './garbage.ts';
import { decodeImage, encodeImage, imageMatches } from './image.ts';
import { KeyType, manifestKey, numberedKey } from './keys.ts';
import { type BlockTable, copyTable, decodeManifest, emptyTable } from './manifest.ts';
import { type ExportedSnapshot, type MirroredSnapshot, nameOf, type SnapshotName } from './mirrored.ts';
import { Names } from './names.ts';
import { bytesOf, letGo } from './passivation.ts';
import { complete as completeReplacement } from './replace.ts';
import type { StateSchema } from './schema.ts';
import { SideRecords } from './sides.ts';
import { type Cut, type SnapshotTarget, writeSnapshot } from './snapshot.ts';
import { verifyBlocks } from './verify.ts';
import { Windows } from './window.ts';

const GIB = 2 ** 30;
const PENDING = 1;
const COPIED = 2;

/** The state of a partition in its directory, from the snapshot that opening it found there. */
export class PartitionStore implements PartitionState {
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
  #lastNumber: number;
  readonly #garbage: Garbage;
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
    this.#lastNumber = found.highest;
    this.#garbage = new Garbage(db, found, blocks);
    this.due = found.manifest?.due ?? new Float64Array(blocks).fill(Number.POSITIVE_INFINITY);
    this.unpublished = found.manifest?.unpublished ?? new Uint8Array(blocks);
    this.#names = new Names(found.manifest?.names ?? []);
    this.#resident = new Array<Block | null>(blocks).fill(null);
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
    for (const block of this.#resident) if (block !== null) bytes += bytesOf(block);
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
    const { manifests } = this.#garbage;
    const rows = await Promise.all(manifests.map((number) => this.#db.get(manifestKey(number))));
    return rows
      .flatMap((row, i) => (row === undefined || row.length < 4 ? [] : [nameOf(manifests[i], row)]))
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
    const isNeeded = (block: Block) => block.dirty || Boolean(this.#cut?.pending[block.id]);
    return letGo(this.#resident, this.residentBytes - limit, isNeeded);
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
    const replaced = (key: Buffer) => this.#garbage.replaced(key);
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
      obsolete: () => this.#garbage.obsoleteWith(cut.ids, this.#table),
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

  /** The cut is durable. Returns the number of the snapshot before it. */
  #settle(cut: Cut): number {
    const previous = this.#number;
    this.#olderWindowEnds = this.#table.windowEnds;
    this.#table = cut.table;
    this.#number = cut.number;
    this.#hasOlder = previous !== 0;
    this.#garbage.settle();
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
    this.#garbage.unfinished(cut.number);
    this.#cut = null;
  }

  async #cleanUp(cut: Cut, previous: number): Promise<void> {
    if (!this.#proven) noteUnclean(this.#options.dir, 1);
    this.#proven = true;
    if (!this.#layout.snapshots) {
      this.#layout = { ...this.#layout, snapshots: true };
      writeLayout(this.#options.dir, this.#layout);
    }
    await this.#garbage.collect(cut, previous, {
      deletable: (id) => this.#windows.deletable(this.#olderWindowEnds[id]),
      step: this.#windows.deletionStep,
    });
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
    return this.#hasOlder ? new GridfoldError('block_corrupt', 'retry', skipNewest(what)) : stateLost(what);
  }

  /** The snapshot before has the same segments up to where its window ended. */
  #windowCorrupt(block: number, position: number, what: string): GridfoldError {
    const isOlderSound = this.#hasOlder && position >= this.#olderWindowEnds[block];
    return isOlderSound ? new GridfoldError('window_corrupt', 'retry', skipNewest(what)) : stateLost(what);
  }
}

function skipNewest(what: string): string {
  return `${what}: open the directory with skipNewest and replay`;
}

function stateLost(what: string): GridfoldError {
  const message = `${what} and no older snapshot is sound: open the directory with startEmpty and fold the log again`;
  return new GridfoldError('state_lost', 'stop', message);
}
