import type { Block } from '../../snapshots/block.ts';
import type { PartitionState } from '../../snapshots/contract.ts';
import { GridfoldError } from '../kernel/errors.ts';
import { murmur2 } from '../kernel/hash.ts';
import type { RecordBatch } from '../log/contract.ts';
import { packState, StateBuffer } from './base.ts';
import { hasLifecycle } from './columns.ts';
import type { ActorType, AssetConfig, JudgedSchemas, ReadingDecoder } from './contract.ts';
import type { Address } from './derived.ts';
import { type Fact, type FactChange, FactList, type FactMap } from './facts.ts';
import { KindRuntime } from './kind-runtime.ts';
import { foldLate, foldOutOfSilence, restoreAfterFailure } from './late.ts';
import { foldLifecycleRecord, Whereabouts } from './lifecycle.ts';
import { type Cause, type EventSubject, Outputs } from './outputs.ts';
import type { ShardPosition } from './position.ts';
import { Reading } from './reading.ts';
import { Tally } from './tally.ts';
import type { Place, Turn } from './turn.ts';
import { EntryWriter } from './window-entry.ts';

/** A base is noted every so many readings of an asset: what a late reading has to fold again at the least. */
const READINGS_PER_BASE = 16;

const NO_SCHEMAS: ReadonlySet<number> = new Set();

export interface FoldOptions {
  readonly type: ActorType;
  readonly partition: number;
  readonly state: PartitionState;
  readonly position: ShardPosition;
  /** How far behind the asset's newest device time a reading may come and still be folded in. */
  readonly horizonMs: number;
  /** Partitions of every topic: where the actors live that hear of this partition's facts. */
  readonly partitions: number;
}

/**
 * The fold of one partition: input in, state and outputs changed. Synchronous and without I/O of its own, so that
 * the live shard, recovery and the verifier run the very same code.
 */
export class PartitionFold implements Turn {
  readonly type: ActorType;
  readonly partition: number;
  readonly state: PartitionState;
  readonly position: ShardPosition;
  readonly horizonMs: number;
  readonly outputs: Outputs;
  readonly tally = new Tally();
  readonly kinds: readonly KindRuntime[];
  /** Set before each run: which schemas its records name in vain. */
  readonly judged: JudgedSchemas = { unknown: NO_SCHEMAS };
  readonly decoder: ReadingDecoder;
  readonly writer = new EntryWriter();
  readonly reading = new Reading();
  readonly cause: Cause;
  readonly whereabouts: Whereabouts;
  /** Called with block and slot of each asset that changed; null while nobody watches. */
  onTouch: ((blockId: number, slot: number) => void) | null = null;
  /** Called when an asset's fold threw and the asset went into quarantine. */
  onFailure: ((kind: string, serial: string, error: unknown) => void) | null = null;
  readonly #stamps: Uint32Array;
  readonly #facts = new FactList();
  readonly #stateBuffer = new StateBuffer();
  /** Of the reading that is folded next: it failed before, and its window was still to come. */
  #failure: { readonly cause: unknown } | null = null;

  constructor(options: FoldOptions) {
    this.type = options.type;
    this.partition = options.partition;
    this.state = options.state;
    this.position = options.position;
    this.horizonMs = options.horizonMs;
    this.outputs = new Outputs(options.partitions);
    this.kinds = options.type.kinds.map((kind, i) => {
      const runtime = new KindRuntime(kind, i, (index) => this.state.name(index));
      runtime.asset.sides = this.state;
      return runtime;
    });
    this.decoder = options.type.createDecoder(this.judged);
    this.cause = { topic: '', partition: options.partition, offset: 0, ordinal: 0, recordTime: 0 };
    this.whereabouts = new Whereabouts(this);
    this.#stamps = new Uint32Array(this.kinds.length * this.state.blocksPerKind);
  }

  /** Whether a snapshot may be taken: all windows are there, and no reading is folded by half. */
  get isWhole(): boolean {
    return this.state.filling === null && this.#failure === null;
  }

  /** To be called before an asset's block changes: the store may need a copy, and summaries grow old. */
  change(block: Block): void {
    this.state.change(block);
    this.#stamps[block.id] += 1;
    // The copy for a snapshot may have moved the columns: a cursor that looks at the block looks again.
    const { asset } = this.kinds[Math.floor(block.id / this.state.blocksPerKind)];
    if (asset.block === block) asset.attach(block, asset.slot);
  }

  /**
   * Folds records `[from, to)` of a telemetry batch (indices) at one reading of the partition clock. Returns where to go
   * on: before `to` where a record needs a window that is still to come (`state.filling`). It then is to be folded
   * again, before anything else, and has changed nothing that others see.
   */
  telemetry(batch: RecordBatch, from: number, to: number, clock: number, unknownSchemas?: ReadonlySet<number>): number {
    this.judged.unknown = unknownSchemas ?? NO_SCHEMAS;
    this.cause.topic = this.type.topics.readings;
    return this.#each(batch, from, to, clock, (i) => {
      const refused = this.#foldReading(batch, i, clock);
      if (refused !== null) this.#setAside(batch, i, refused);
      this.position.telemetry = batch.baseOffset + i + 1;
    });
  }

  /** Folds records `[from, to)` of a lifecycle batch; see {@link telemetry}. */
  lifecycle(batch: RecordBatch, from: number, to: number, clock: number, unknownSchemas?: ReadonlySet<number>): number {
    this.judged.unknown = unknownSchemas ?? NO_SCHEMAS;
    this.cause.topic = this.type.topics.lifecycle;
    return this.#each(batch, from, to, clock, (i) => {
      const refused = foldLifecycleRecord(this, batch, i);
      if (refused !== null) this.#setAside(batch, i, refused);
      this.position.lifecycle = batch.baseOffset + i + 1;
    });
  }

  /** Folds records one by one, up to the first whose window is still to come. */
  #each(batch: RecordBatch, from: number, to: number, clock: number, fold: (i: number) => void): number {
    let i = from;
    try {
      for (; i < to; i++) {
        this.cause.offset = batch.baseOffset + i;
        this.cause.ordinal = 0;
        fold(i);
      }
    } catch (error) {
      if (!(error instanceof GridfoldError) || error.code !== 'window_pending') throw error;
    }
    // Where nothing is folded there is no step: a replay would not come to that clock.
    if (i > from) this.position.clock = clock;
    this.tally.bytes += bytesOf(batch, from, i);
    return i;
  }

  /** Returns a reason when the record must be set aside. */
  #foldReading({ bytes, keyStart, keyEnd, valueStart, valueEnd, timestamp }: RecordBatch, i: number, clock: number) {
    const { decoder, reading } = this;
    const reason = decoder.decode(bytes, valueStart[i], valueEnd[i], timestamp, reading);
    if (reason !== 0) return decoder.reasons[reason];
    if (keyEnd[i] > keyStart[i] && !this.#keyMatches(bytes, keyStart[i], keyEnd[i])) return 'key_mismatch';
    return this.#fold(clock);
  }

  /** Folds the reading in hand. Returns a reason when it must be set aside. */
  #fold(clock: number): string | null {
    const { reading, decoder } = this;
    const runtime = this.kinds[reading.kind];
    const created = this.locate(runtime, decoder.serialBytes, decoder.serialStart, decoder.serialEnd);
    if (created === 'kind_mismatch') return created;
    if (this.type.order === 'arrival') return this.#foldArrived(runtime);
    const asset = runtime.asset;
    if (asset.quarantined !== 0) return 'quarantined';
    const config = runtime.config(asset.cadenceS, asset.zone);
    this.cause.recordTime = reading.receiveTime;
    if (this.#failure !== null) return this.#giveUp(runtime, config, this.#failure.cause);
    if (reading.deviceTime <= asset.lastDeviceTime) {
      if (reading.deviceTime < asset.lastDeviceTime - this.horizonMs) return 'beyond_horizon';
      return foldLate(this, runtime, config);
    }
    this.change(asset.block);
    this.noteBase(runtime);
    this.#facts.forwards = hasLifecycle(asset);
    try {
      if (asset.silence !== 0) foldOutOfSilence(this, runtime, config);
      else runtime.kind.fold(asset, reading, config, this.#facts);
    } catch (error) {
      return this.#giveUp(runtime, config, error);
    }
    this.#applied(runtime, config, clock);
    if (this.#facts.items.length > 0) this.#sayFacts(runtime);
    return null;
  }

  /** Where the window is still to come, the failure is remembered: what it changed is undone before anything else. */
  #giveUp(runtime: KindRuntime, config: AssetConfig, cause: unknown): string {
    this.change(runtime.asset.block);
    this.#facts.clear();
    this.#failure = { cause };
    restoreAfterFailure(this, runtime, config, cause);
    this.#failure = null;
    return 'fold_failed';
  }

  /**
   * Folds a record of an actor for which order of arrival is enough. A record that cannot be folded has changed
   * nothing: such a kind writes its state last.
   */
  #foldArrived(runtime: KindRuntime): string | null {
    const { asset, kind } = runtime;
    const { block } = asset;
    this.cause.recordTime = this.reading.receiveTime;
    this.change(block);
    this.#facts.forwards = true;
    try {
      kind.fold(asset, this.reading, runtime.config(0, 0), this.#facts);
    } catch (error) {
      this.#facts.clear();
      asset.invalid += 1;
      this.onFailure?.(kind.name, asset.serial, error);
      return 'fold_failed';
    }
    asset.applied += 1;
    asset.revision += 1;
    asset.unpublished = 1;
    this.state.unpublished[block.id] = 1;
    this.tally.applied++;
    if (this.onTouch !== null) this.onTouch(block.id, asset.slot);
    if (this.#facts.items.length > 0) this.#sayFacts(runtime);
    return null;
  }

  /** Book-keeping of a reading that was folded in order. */
  #applied(runtime: KindRuntime, config: AssetConfig, clock: number): void {
    const { reading, state } = this;
    const asset = runtime.asset;
    const block = asset.block;
    state.appendWindow(block, this.writer.bytes, this.writer.reading(asset.slot, reading, runtime.sized));
    asset.applied += 1;
    asset.revision += 1;
    asset.sinceBase = Math.min(254, asset.sinceBase + 1);
    if (reading.invalid !== 0) {
      asset.invalid += 1;
      this.tally.invalid++;
    }
    asset.heardAt = clock;
    const due = clock + runtime.limits(config)[0];
    asset.due = due;
    if (due < state.due[block.id]) state.due[block.id] = due;
    if (asset.unpublished === 0) asset.unpublished = 1;
    state.unpublished[block.id] = 1;
    this.tally.applied++;
    if (reading.deviceTime > this.tally.watermark) this.tally.watermark = reading.deviceTime;
    if (this.onTouch !== null) this.onTouch(block.id, asset.slot);
  }

  /** Before the first reading, and every so often, the window gets a base to re-fold from. */
  noteBase(runtime: KindRuntime): void {
    const asset = runtime.asset;
    if (asset.sinceBase < READINGS_PER_BASE && asset.lastDeviceTime !== 0) return;
    const packed = packState(asset, this.#stateBuffer);
    const length = this.writer.base(asset.slot, asset.lastDeviceTime, packed);
    this.state.appendWindow(asset.block, this.writer.bytes, length);
    asset.sinceBase = 0;
  }

  /** Points the kind's cursor at the asset, created where it is new. */
  locate(runtime: KindRuntime, bytes: Uint8Array, start: number, end: number): 'known' | 'created' | 'kind_mismatch' {
    const { state } = this;
    const hash = murmur2(bytes, start, end);
    const place = blockPlace(hash) % state.blocksPerKind;
    const id = runtime.index * state.blocksPerKind + place;
    let block = state.block(id);
    const slot = block === null ? -1 : block.find(bytes, start, end, hash);
    if (block !== null && slot >= 0) {
      runtime.asset.attach(block, slot);
      return 'known';
    }
    for (const other of this.kinds) {
      if (other === runtime) continue;
      const theirs = state.block(other.index * state.blocksPerKind + place);
      if (theirs !== null && theirs.find(bytes, start, end, hash) >= 0) return 'kind_mismatch';
    }
    block ??= state.blockOrCreate(id, runtime.kind.state);
    this.change(block);
    runtime.asset.attach(block, block.add(bytes, start, end, hash));
    return 'created';
  }

  /** Points the cursor of its kind at a known asset, whatever the kind; null where the serial is not known. */
  lookup(key: Uint8Array): KindRuntime | null {
    const hash = murmur2(key);
    const place = blockPlace(hash) % this.state.blocksPerKind;
    for (const runtime of this.kinds) {
      const block = this.state.block(runtime.index * this.state.blocksPerKind + place);
      const slot = block === null ? -1 : block.find(key, 0, key.length, hash);
      if (block === null || slot < 0) continue;
      runtime.asset.attach(block, slot);
      return runtime;
    }
    return null;
  }

  /** Differs whenever a block may have changed since the last time somebody asked. */
  changeStamp(blockId: number): number {
    return this.#stamps[blockId];
  }

  #sayFacts(runtime: KindRuntime): void {
    this.say(runtime, this.#facts.items);
    this.tally.facts(runtime.kind.name, this.#facts.items);
    this.#facts.clear();
  }

  say(runtime: KindRuntime, changes: readonly FactChange[]): void {
    if (changes.length === 0) return;
    const place = this.whereabouts.of(runtime);
    const subject = this.#subject(runtime, place);
    for (const change of changes) {
      this.outputs.event(subject, this.cause, change, audienceOf(runtime, place, change.fact));
    }
  }

  forward(runtime: KindRuntime, facts: FactMap | null): void {
    if (facts === null || runtime.kind.audience === undefined) return;
    const place = this.whereabouts.of(runtime);
    const subject = this.#subject(runtime, place);
    for (const fact of facts.byKey.values()) {
      const audience = audienceOf(runtime, place, fact);
      if (audience.length > 0) this.outputs.copy(subject, this.cause, fact, audience);
    }
  }

  #subject(runtime: KindRuntime, place: Place): EventSubject {
    const { asset, kind } = runtime;
    return {
      serial: asset.serial,
      keyBytes: asset.block.serialBytes(asset.slot).slice(),
      kind: kind.name,
      machine: kind.machine,
      siteId: place.siteId,
      version: this.position.epoch * 2 ** 32 + asset.revision,
    };
  }

  #keyMatches(bytes: Uint8Array, start: number, end: number): boolean {
    const { serialBytes, serialStart, serialEnd } = this.decoder;
    if (end - start !== serialEnd - serialStart) return false;
    for (let i = start, k = serialStart; i < end; i++, k++) if (bytes[i] !== serialBytes[k]) return false;
    return true;
  }

  #setAside(batch: RecordBatch, i: number, reason: string): void {
    if (reason === '') return;
    const { topic } = this.cause;
    const key = batch.keyEnd[i] > batch.keyStart[i] ? batch.bytes.slice(batch.keyStart[i], batch.keyEnd[i]) : null;
    const value = batch.bytes.slice(batch.valueStart[i], batch.valueEnd[i]);
    this.outputs.deadLetter(topic, this.partition, batch.baseOffset + i, batch.timestamp, key, value, reason);
    this.tally.rejected(reason);
  }
}

const NOBODY: readonly Address[] = [];

function audienceOf({ kind, asset }: KindRuntime, place: Place, fact: Fact): readonly Address[] {
  if (fact.type.forwarded !== true && fact.type.internal !== true) return NOBODY;
  return kind.audience?.(asset, place.occupancies, fact) ?? NOBODY;
}

/** Keys and values of records `[from, to)`. */
function bytesOf({ keyStart, valueEnd }: RecordBatch, from: number, to: number): number {
  return to > from ? valueEnd[to - 1] - keyStart[from] : 0;
}

/** Block of a serial within its kind: other bits of the hash than those that chose the partition. */
function blockPlace(hash: number): number {
  return Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 8;
}
