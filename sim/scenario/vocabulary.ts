import { deviceType, kinds } from '../../actors/device/index.ts';
import { deviceRegions } from '../../actors/device/machines.ts';
import { placeKinds, siteType } from '../../actors/site/index.ts';
import { type DataPart, LIFECYCLE_TYPES } from '../../codec/lifecycle-data.ts';
import { REASONS } from '../../codec/reasons.ts';
import type { Region } from '../../runtime/machine/region.ts';
import type { Kind } from '../../runtime/shard/contract.ts';
import { type DerivedColumn, type DerivedType, tablesOf } from '../../runtime/shard/derived.ts';
import type { FieldSpec } from '../../runtime/shard/reading.ts';
import { nearest } from '../../runtime/system/nearest.ts';
import { Misreading } from './script.ts';

/** What can be written, taken from the declarations of the runtime: nothing here is listed twice. */
function pick<T>(what: string, name: string, known: ReadonlyMap<string, T>): T {
  const found = known.get(name);
  if (found !== undefined) return found;
  const names = [...known.keys()];
  const near = nearest(name, names);
  const valid = names.length > 60 ? '' : `; valid: ${names.join(', ')}`;
  throw new Misreading(`there is no ${what} "${name}"${near === null ? '' : `, did you mean ${near}?`}${valid}`);
}

const byName = <T extends { readonly name: string }>(list: readonly T[]) => new Map(list.map((one) => [one.name, one]));
const kindsByName = byName(kinds);
const typesByName = byName(tablesOf([deviceType]));
const placeTypesByName = byName(tablesOf([siteType]));
const reasons: ReadonlyMap<string, string> = new Map(REASONS.map(({ code }) => [code, code]));

export const kindNamed = (name: string): Kind => pick('kind', name, kindsByName);
/** Fact types of assets, or those of places (sites, cabinets, regions). */
export const factNamed = (name: string, place: boolean): DerivedType =>
  pick('fact type', name, place ? placeTypesByName : typesByName);
export const placeKindNames: readonly string[] = placeKinds.map(({ name }) => name);
/** Columns of a fact that somebody stated. */
export const columnsOf = (type: string): readonly DerivedColumn[] =>
  (typesByName.get(type) ?? placeTypesByName.get(type))?.columns ?? [];
export const reasonNamed = (name: string): string => pick('reason', name, reasons);
export const isFactType = (name: string, place: boolean): boolean => (place ? placeTypesByName : typesByName).has(name);

export function fieldNamed(kind: Kind, name: string): FieldSpec {
  return pick(`field of a ${kind.name}`, name, byName(kind.fields));
}

export function columnNamed(type: DerivedType, name: string): DerivedColumn {
  return pick(`column of ${type.name}`, name, byName(type.columns));
}

export function regionNamed(kind: Kind, name: string): Region {
  return pick(`region of a ${kind.name}`, name, byName(deviceRegions[kind.name]));
}

export function stateNamed(region: Region, name: string): string {
  return pick(`state of region ${region.name}`, name, new Map(region.table.states.map((state) => [state, state])));
}

export function lifecycleTypeNamed(name: string) {
  return pick('lifecycle record', name, LIFECYCLE_TYPES);
}

export function lifecyclePart(type: string, name: string): DataPart {
  const own = Object.entries(lifecycleTypeNamed(type).data);
  // A correction may name any part of the record that it corrects.
  const others = type === 'corrected' ? [...LIFECYCLE_TYPES.values()].flatMap(({ data }) => Object.entries(data)) : [];
  return pick(`part of lifecycle record ${type}`, name, new Map([...others, ...own]));
}
