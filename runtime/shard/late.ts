import { copyState, packState, restoreState, StateBuffer } from './base.ts';
import { type AnyAsset, hasLifecycle } from './columns.ts';
import type { AssetConfig } from './contract.ts';
import type { Facts } from './derived.ts';
import { timeOf } from './entry-layout.ts';
import { compareEntries } from './entry-order.ts';
import { decodeReadingEntry } from './entry-reader.ts';
import { difference, type FactChange, FactMap } from './facts.ts';
import type { KindRuntime } from './kind-runtime.ts';
import { Reading } from './reading.ts';
import type { Turn } from './turn.ts';
import { type WindowSlice, windowBack } from './window.ts';

const replayed = new Reading();
const nothing: Facts = { forwards: false, emit() {}, retract() {} };

/**
 * A reading that is not the newest of its asset: a duplicate, or one that belongs into the past. The past is folded
 * again from a base below it, without and with the reading; what the facts differ in is said.
 */
export function foldLate(fold: Turn, runtime: KindRuntime, config: AssetConfig): string | null {
  const { reading, state, writer, tally } = fold;
  const { asset } = runtime;
  const length = writer.reading(asset.slot, reading, runtime.sized);
  const entry = writer.bytes.slice(0, length);
  const answer = windowBack(state, asset, reading.deviceTime, entry);
  if (answer.found === 'nothing') return 'beyond_horizon';
  fold.change(asset.block);
  if (answer.found !== 'slice') {
    asset.duplicates += 1;
    tally.duplicates++;
    return null;
  }
  const { readings } = answer.slice;
  const at = placeOf(readings, entry);
  const rebase = rebaseAt(readings, at);
  let folded: { changes: FactChange[]; base: Uint8Array | null };
  try {
    folded = foldInto(runtime, answer.slice, entry, at, rebase, config);
  } catch {
    asset.quarantined = 1;
    return 'fold_failed';
  }
  if (folded.base !== null) {
    const size = writer.base(asset.slot, timeOf(readings[rebase - 1]), folded.base);
    state.appendWindow(asset.block, writer.bytes, size);
    for (const kept of readings.slice(rebase)) state.appendWindow(asset.block, kept, kept.length);
  }
  state.appendWindow(asset.block, entry, length);
  asset.sinceBase = 255;
  asset.applied += 1;
  asset.late += 1;
  asset.revision += 1;
  if (reading.invalid !== 0) asset.invalid += 1;
  tally.applied++;
  tally.late++;
  fold.say(runtime, folded.changes);
  asset.unpublished = 1;
  state.unpublished[asset.block.id] = 1;
  if (fold.onTouch !== null) fold.onTouch(asset.block.id, asset.slot);
  return null;
}

/** A slice of more readings than this gets a new base in its middle, */
const LONG_SLICE = 96;
/** if so many of its readings come before the late one. */
const LONG_PREFIX = 48;

/**
 * Index of the first reading after the new base, or 0 for none. Where lateness is the rule, every base is soon made
 * wrong by something earlier still to come, and slices would grow without end: so the state half way to the late
 * reading is noted as a base, and the readings after it are written again behind it.
 */
function rebaseAt(readings: readonly Uint8Array[], at: number): number {
  if (readings.length <= LONG_SLICE || at <= LONG_PREFIX) return 0;
  let index = at >> 1;
  while (index > 0 && timeOf(readings[index - 1]) === timeOf(readings[index])) index--;
  return index;
}

const packed = new StateBuffer();

/**
 * Folds the slice without and with the late entry, whose place is `at`; the asset gets the state with it. What comes
 * before the late entry is the same in both, and is folded once. With `rebase`, also returns the state before that index.
 */
function foldInto(
  runtime: KindRuntime,
  slice: WindowSlice,
  late: Uint8Array,
  at: number,
  rebase: number,
  config: AssetConfig,
): { changes: FactChange[]; base: Uint8Array | null } {
  const { asset, before, after } = runtime;
  const { readings } = slice;
  runtime.nameScratch(asset);
  restoreState(before, slice.base);
  const without = new FactMap(hasLifecycle(asset));
  foldEntries(runtime, before, readings.slice(0, rebase), config, without);
  const base = rebase === 0 ? null : packState(before, packed).slice();
  foldEntries(runtime, before, readings.slice(rebase, at), config, without);
  copyState(before, after, false);
  const within = without.copy();
  const rest = readings.slice(at);
  foldEntries(runtime, before, rest, config, without);
  foldEntries(runtime, after, [late, ...rest], config, within);
  copyState(after, asset, false);
  endFacts(runtime, before, asset.silence, config, without);
  endFacts(runtime, after, asset.silence, config, within);
  return { changes: difference(without, within, asset.unpublished !== 0), base };
}

/** The newest reading after timers had announced a silence: what they said is compared with what turns out true. */
export function foldOutOfSilence(fold: Turn, runtime: KindRuntime, config: AssetConfig): void {
  const { kind, asset, before, after } = runtime;
  runtime.nameScratch(asset);
  copyState(asset, before, true);
  const said = new FactMap(hasLifecycle(asset));
  elapse(runtime, before, asset.silence, config, said);
  said.beginOpen();
  kind.open(before, config, said);
  copyState(asset, after, true);
  after.silence = 0;
  const truth = new FactMap(hasLifecycle(asset));
  kind.fold(after, fold.reading, config, truth);
  copyState(after, asset, false);
  truth.beginOpen();
  kind.open(after, config, truth);
  asset.silence = 0;
  asset.revision += 1;
  fold.say(runtime, difference(said, truth, asset.unpublished !== 0));
  asset.revision -= 1;
}

/** The configuration of an asset changed: what the window still holds is folded with the old one and with the new one. */
export function refoldWindow(fold: Turn, runtime: KindRuntime, from: AssetConfig, to: AssetConfig): void {
  const { asset } = runtime;
  if (asset.lastDeviceTime === 0) return;
  const answer = windowBack(fold.state, asset, Math.max(1, asset.lastDeviceTime - fold.horizonMs), null);
  if (answer.found !== 'slice') return;
  runtime.nameScratch(asset);
  const before = factsOf(runtime, runtime.before, answer.slice, asset.silence, from, null);
  const after = factsOf(runtime, runtime.after, answer.slice, asset.silence, to, asset);
  asset.sinceBase = 255;
  const limits = runtime.limits(to);
  asset.due = asset.silence === 2 ? Number.POSITIVE_INFINITY : asset.heardAt + limits[asset.silence];
  fold.state.due[asset.block.id] = Math.min(fold.state.due[asset.block.id], asset.due);
  fold.say(runtime, difference(before, after, asset.unpublished !== 0));
}

/**
 * What the window still holds, and what is open, as it stands now: for those who shall hear of the asset from here on.
 * Null where there is nothing.
 */
export function windowFacts(fold: Turn, runtime: KindRuntime): FactMap | null {
  const { asset } = runtime;
  if (asset.lastDeviceTime === 0) return null;
  const answer = windowBack(fold.state, asset, Math.max(1, asset.lastDeviceTime - fold.horizonMs), null);
  if (answer.found !== 'slice') return null;
  runtime.nameScratch(asset);
  const config = runtime.config(asset.cadenceS, asset.zone);
  return factsOf(runtime, runtime.before, answer.slice, asset.silence, config, null);
}

/** A timer says that the silence has reached the next stage. Returns the clock at which the one after is due. */
export function announceSilence(fold: Turn, runtime: KindRuntime): void {
  const { asset, kind, before, after } = runtime;
  const config = runtime.config(asset.cadenceS, asset.zone);
  runtime.nameScratch(asset);
  copyState(asset, before, true);
  copyState(asset, after, true);
  const said = new FactMap(hasLifecycle(asset));
  elapse(runtime, before, asset.silence, config, said);
  said.beginOpen();
  kind.open(before, config, said);
  const now = new FactMap(hasLifecycle(asset));
  elapse(runtime, after, asset.silence + 1, config, now);
  now.beginOpen();
  kind.open(after, config, now);
  asset.silence += 1;
  asset.revision += 1;
  asset.due = asset.silence >= 2 ? Number.POSITIVE_INFINITY : asset.heardAt + runtime.limits(config)[1];
  fold.say(runtime, difference(said, now, asset.unpublished !== 0));
}

/** Facts that are open now, as they stand in the tables if everybody is up to date. */
export function openFacts(runtime: KindRuntime): FactMap {
  const { asset, kind, before } = runtime;
  const config = runtime.config(asset.cadenceS, asset.zone);
  runtime.nameScratch(asset);
  copyState(asset, before, true);
  const facts = new FactMap(hasLifecycle(asset));
  elapse(runtime, before, asset.silence, config, facts);
  facts.beginOpen();
  kind.open(before, config, facts);
  return facts;
}

/**
 * Throws `window_pending` where the window of the asset is still to come: to be called before anything changes, where
 * {@link refoldWindow} or {@link windowFacts} may follow.
 */
export function requireWindow({ state, horizonMs }: Turn, { asset }: KindRuntime): void {
  if (state.filling === null || asset.lastDeviceTime === 0) return;
  windowBack(state, asset, Math.max(1, asset.lastDeviceTime - horizonMs), null);
}

/**
 * The fold threw in the middle of a reading: the state goes back to what it was, and the asset is quarantined. Does
 * nothing where it throws `window_pending`.
 */
export function restoreAfterFailure(fold: Turn, runtime: KindRuntime, config: AssetConfig, error: unknown): void {
  const { asset } = runtime;
  const answer = windowBack(fold.state, asset, Number.POSITIVE_INFINITY, null);
  asset.quarantined = 1;
  fold.tally.rejected('fold_failed_asset');
  fold.onFailure?.(runtime.kind.name, asset.serial, error);
  if (answer.found !== 'slice') return;
  try {
    runtime.nameScratch(asset);
    refold(runtime, runtime.after, answer.slice, config, nothing);
    copyState(runtime.after, asset, false);
  } catch {
    // The readings that folded before fold no more: the state stays as the failure left it, in quarantine.
  }
}

/** Facts of a stretch of readings and what is open at its end; `result` (the real asset) gets the state before the silence. */
function factsOf(
  runtime: KindRuntime,
  scratch: AnyAsset,
  slice: WindowSlice,
  silence: number,
  config: AssetConfig,
  result: AnyAsset | null,
): FactMap {
  const facts = new FactMap(hasLifecycle(runtime.asset));
  refold(runtime, scratch, slice, config, facts);
  if (result !== null) copyState(scratch, result, false);
  endFacts(runtime, scratch, silence, config, facts);
  return facts;
}

/** Adds what the silence so far says, and what is open then. */
function endFacts(runtime: KindRuntime, scratch: AnyAsset, silence: number, config: AssetConfig, facts: FactMap): void {
  scratch.silence = silence;
  elapse(runtime, scratch, silence, config, facts);
  facts.beginOpen();
  runtime.kind.open(scratch, config, facts);
}

function refold(runtime: KindRuntime, scratch: AnyAsset, slice: WindowSlice, config: AssetConfig, out: Facts): void {
  restoreState(scratch, slice.base);
  foldEntries(runtime, scratch, slice.readings, config, out);
}

function foldEntries(
  { kind, index, sized }: KindRuntime,
  scratch: AnyAsset,
  entries: readonly Uint8Array[],
  config: AssetConfig,
  out: Facts,
): void {
  for (const entry of entries) {
    decodeReadingEntry(entry, index, sized, replayed);
    kind.fold(scratch, replayed, config, out);
  }
}

function elapse(runtime: KindRuntime, scratch: AnyAsset, stages: number, config: AssetConfig, out: Facts): void {
  for (let stage = 1; stage <= stages; stage++) runtime.kind.elapse(scratch, stage, config, out);
}

function placeOf(sorted: readonly Uint8Array[], entry: Uint8Array): number {
  let at = sorted.length;
  while (at > 0 && compareEntries(sorted[at - 1], entry) > 0) at--;
  return at;
}
