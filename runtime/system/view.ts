import type { LifecycleResult } from '../shard/contract.ts';
import { type FieldPlan, fieldTime, planFields, UNKNOWN } from '../shard/fields.ts';
import type { PartitionFold } from '../shard/fold.ts';
import type { KindRuntime } from '../shard/kind-runtime.ts';
import { lifecycleResult } from '../shard/lifecycle.ts';
import type { FieldSpec } from '../shard/reading.ts';
import type { AssetView, LifecycleView } from './engine.ts';

const plans = new Map<KindRuntime['kind'], FieldPlan>();

/** The asset under the kind's cursor, as people see it. Allocates; for doors, not for the fold. */
export function assetView(fold: PartitionFold, runtime: KindRuntime): AssetView {
  const { asset, kind } = runtime;
  const life = lifecycleResult(fold, runtime, asset);
  const shown = kind.view(asset, life, runtime.config(asset.cadenceS, asset.zone));
  const { telemetry, lifecycle, timers } = fold.position;
  const values: Record<string, AssetView['values'][string]> = sizedValues(runtime);
  for (const [name, { value, deviceTime, valid }] of Object.entries(shown.extra)) {
    setOwn(values, name, { value, deviceTime: iso(deviceTime) as string, valid });
  }
  return {
    serial: asset.serial,
    kind: kind.name,
    siteId: life?.siteId ?? null,
    slot: life?.slot ?? null,
    status: shown.status,
    regions: mapValues(shown.regions, (r) => ({ state: r.state, since: iso(r.since) })),
    derates: shown.derates,
    values,
    energy: shown.energy,
    counts: { applied: asset.applied, duplicate: asset.duplicates, late: asset.late, invalid: asset.invalid },
    revision: asset.revision,
    position: { partition: fold.partition, telemetry, lifecycle, timers },
    eventTime: iso(asset.lastDeviceTime),
    recordTime: iso(asset.lastReceiveTime),
  };
}

function sizedValues(runtime: KindRuntime): Record<string, AssetView['values'][string]> {
  const { asset, kind } = runtime;
  let plan = plans.get(kind);
  if (plan === undefined) plans.set(kind, (plan = planFields(kind.state, kind.fields)));
  const values: Record<string, AssetView['values'][string]> = {};
  kind.fields.forEach((field, i) => {
    const column = plan.valueColumn[i];
    if (column < 0) return;
    const raw = asset.getAt(column);
    const valid = ((asset.invalidFields >>> i) & 1) === 0;
    const known = field.type === 'number' ? !Number.isNaN(raw) : raw !== UNKNOWN;
    const time = fieldTime(asset, plan, i);
    if (!known && time === 0) return;
    values[field.name] = { value: known ? meaning(field, raw) : null, deviceTime: iso(time) as string, valid };
  });
  return values;
}

function meaning(field: FieldSpec, raw: number): unknown {
  if (field.type === 'enum') return field.words?.[raw] ?? null;
  return field.type === 'bool' ? raw === 1 : raw;
}

/** The lifecycle list in folding order, with what each record did. */
export function lifecycleView(result: LifecycleResult | null): LifecycleView[] {
  return (result?.steps ?? []).map(({ record, from, to, legal, review, voided }) => ({
    id: record.id,
    type: record.type,
    eventTime: iso(record.eventTime) as string,
    recordTime: iso(record.recordTime) as string,
    source: record.source,
    data: record.data,
    from,
    to,
    legal,
    review,
    voided,
  }));
}

/** RFC 3339, or null for the never of the state (0). */
function iso(ms: number): string | null {
  return ms === 0 ? null : new Date(ms).toISOString();
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, f: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([k, v]) => [k, f(v)]));
}

/** Assigns a name that came from outside, without ever reaching a prototype. */
function setOwn<T>(record: Record<string, T>, name: string, value: T): void {
  Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
}
