import type { RecordBatch } from '../log/contract.ts';
import type { AnyAsset } from './columns.ts';
import type { LifecycleRecord, LifecycleResult, Occupancy } from './contract.ts';
import type { Facts } from './derived.ts';
import { difference, FactMap } from './facts.ts';
import type { KindRuntime } from './kind-runtime.ts';
import { refoldWindow, requireWindow, windowFacts } from './late.ts';
import type { Place, Places, Turn } from './turn.ts';

/** An asset keeps at most so many lifecycle records; more are set aside. Real lives have dozens. */
export const MAX_LIFECYCLE_RECORDS = 4096;

/** The list as it stands in the store: one row per record. */
type LifecycleList = readonly (readonly [string, string, number, number, string, string])[];

const encoder = new TextEncoder();
const silent: Facts = { forwards: false, emit() {}, retract() {} };

/**
 * Folds one lifecycle record: the asset's whole list is folded without it and with it, however old it is, and what
 * the facts differ in is said. Measured facts are not touched, except where cadence or time zone change.
 * Returns a reason when the record must be set aside.
 */
export function foldLifecycleRecord(fold: Turn, batch: RecordBatch, i: number): string | null {
  const { bytes, valueStart, valueEnd, timestamp } = batch;
  const decoded = fold.type.decodeLifecycle(bytes, valueStart[i], valueEnd[i], timestamp, fold.judged);
  if (!decoded.ok) return decoded.reason;
  const runtime = fold.kinds.find((k) => k.kind.name === decoded.kind);
  if (runtime === undefined) return 'unknown_kind';
  const key = encoder.encode(decoded.serial);
  if (batch.keyEnd[i] > batch.keyStart[i] && !sameBytes(key, batch.bytes, batch.keyStart[i], batch.keyEnd[i])) {
    return 'key_mismatch';
  }
  if (fold.locate(runtime, key, 0, key.length) === 'kind_mismatch') return 'kind_mismatch';
  const { asset } = runtime;
  requireWindow(fold, runtime);
  fold.change(asset.block);
  const records = readLifecycle(fold, asset);
  if (records.some((r) => r.id === decoded.record.id)) {
    asset.duplicates += 1;
    fold.tally.duplicates++;
    return null;
  }
  if (records.length >= MAX_LIFECYCLE_RECORDS) return 'lifecycle_full';
  const { serial } = asset;
  const before = new FactMap(true);
  const known = records.length > 0 ? runtime.kind.foldLifecycle(serial, records, before).occupancies : [];
  const after = new FactMap(true);
  const grown = [...records, decoded.record];
  const result = runtime.kind.foldLifecycle(serial, grown, after);
  fold.state.writeLife(asset.block, asset.slot, grown.map(toRow));
  fold.whereabouts.changed(runtime, result);
  asset.lifecycleState = result.state;
  asset.revision += 1;
  fold.tally.lifecycle++;
  fold.cause.recordTime = decoded.record.recordTime;
  fold.say(runtime, difference(before, after, false));
  configure(fold, runtime, result);
  if (!sameStays(known, result.occupancies)) fold.forward(runtime, windowFacts(fold, runtime));
  if (fold.onTouch !== null) fold.onTouch(asset.block.id, asset.slot);
  return null;
}

function configure(fold: Turn, runtime: KindRuntime, result: LifecycleResult): void {
  const { asset } = runtime;
  const cadenceS = result.cadenceS ?? 0;
  const zone = result.timeZone === null ? 0 : fold.state.intern(result.timeZone);
  if (cadenceS === asset.cadenceS && zone === asset.zone) return;
  const from = runtime.config(asset.cadenceS, asset.zone);
  asset.cadenceS = cadenceS;
  asset.zone = zone;
  refoldWindow(fold, runtime, from, runtime.config(cadenceS, zone));
}

export function readLifecycle(fold: Turn, asset: AnyAsset): LifecycleRecord[] {
  const list = fold.state.readLife(asset.block, asset.slot) as LifecycleList | null;
  return (list ?? []).map(([id, type, eventTime, recordTime, source, data]) => ({
    id,
    type,
    eventTime,
    recordTime,
    source,
    data: JSON.parse(data) as Record<string, unknown>,
  }));
}

/** Data stays JSON text, so that no key of it can mean anything to the store. */
function toRow(r: LifecycleRecord): LifecycleList[number] {
  return [r.id, r.type, r.eventTime, r.recordTime, r.source, JSON.stringify(r.data)];
}

function sameBytes(a: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === a.length && a.every((byte, k) => bytes[start + k] === byte);
}

/** What the lifecycle list says of an asset, for the view; null where it has none. */
export function lifecycleResult(fold: Turn, runtime: KindRuntime, asset: AnyAsset): LifecycleResult | null {
  if (asset.lifecycleState === 255) return null;
  return runtime.kind.foldLifecycle(asset.serial, readLifecycle(fold, asset), silent);
}

function sameStays(a: readonly Occupancy[], b: readonly Occupancy[]): boolean {
  return a.length === b.length && JSON.stringify(a) === JSON.stringify(b);
}

const NOWHERE: Place = { siteId: null, slot: null, occupancies: [] };
const MAX_REMEMBERED = 50_000;

/** Where assets stand, remembered for those that spoke lately, since every derived event names the site. */
export class Whereabouts implements Places {
  readonly #fold: Turn;
  readonly #places = new Map<number, Place>();

  constructor(fold: Turn) {
    this.#fold = fold;
  }

  of(runtime: KindRuntime): Place {
    const { asset, kind } = runtime;
    if (kind.place !== undefined) return { ...kind.place(asset), occupancies: [] };
    if (asset.lifecycleState === 255) return NOWHERE;
    const id = asset.block.id * 65536 + asset.slot;
    let place = this.#places.get(id);
    if (place === undefined) {
      place = lifecycleResult(this.#fold, runtime, asset) ?? NOWHERE;
      this.#remember(id, place);
    }
    return place;
  }

  changed(runtime: KindRuntime, result: LifecycleResult): void {
    this.#remember(runtime.asset.block.id * 65536 + runtime.asset.slot, result);
  }

  #remember(id: number, { siteId, slot, occupancies }: Place): void {
    if (this.#places.size >= MAX_REMEMBERED) this.#places.delete(this.#places.keys().next().value as number);
    this.#places.set(id, { siteId, slot, occupancies });
  }
}
