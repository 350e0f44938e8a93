import type { DerivedType, Facts } from '../../runtime/shard/derived.ts';
import { siteTypes } from './facts.ts';
import { dataGap } from '../device/facts.ts';
import { type Draft, MINUTE_MS, type Said } from './state.ts';

const types: ReadonlyMap<string, DerivedType> = new Map([...siteTypes, dataGap].map((type) => [type.name, type]));

/**
 * Says what is to be said of some types, where `wanted` is all of it: what is new or changed is said, what is no more
 * is taken back. With `about`, only facts that it names are compared. What ended before the floor stays as it was said.
 */
export function sayOnly(
  draft: Draft,
  names: readonly string[],
  wanted: readonly Said[],
  out: Facts,
  about: (fact: Said) => boolean = () => true,
): void {
  const floorMs = draft.floor * MINUTE_MS;
  const within = (fact: Said) => fact.until === null || fact.until >= floorMs;
  const old = new Map<string, Said>();
  const rest: Said[] = [];
  for (const fact of draft.said) {
    if (names.includes(fact.type) && about(fact)) old.set(`${fact.type}\n${fact.key}`, fact);
    else rest.push(fact);
  }
  const now = wanted.filter(within);
  if (old.size === 0 && now.length === 0) return;
  for (const fact of now) {
    const id = `${fact.type}\n${fact.key}`;
    const known = old.get(id);
    old.delete(id);
    if (known !== undefined && JSON.stringify(known) === JSON.stringify(fact)) continue;
    out.emit(typeOf(fact), fact.key, fact.eventTime, fact.data);
  }
  for (const fact of old.values()) out.retract(typeOf(fact), fact.key, fact.eventTime, fact.data);
  draft.said = [...rest, ...now];
}

/** Forgets what ended before the floor. */
export function forgetSaid(draft: Draft): void {
  const floorMs = draft.floor * MINUTE_MS;
  if (draft.said.every(({ until }) => until === null || until >= floorMs)) return;
  draft.said = draft.said.filter(({ until }) => until === null || until >= floorMs);
}

function typeOf({ type }: Said): DerivedType {
  return types.get(type) as DerivedType;
}
