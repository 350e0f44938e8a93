import type { Document, Json } from './document.ts';

export type Patch = { [name: string]: Json | null | Patch };

/** The RFC 7396 merge patch that makes `after` of `before`, or null when nothing differs. Arrays are replaced whole. */
export function mergePatch(before: Document, after: Document): Patch | null {
  if (before === after) return null;
  const patch: Patch = Object.create(null);
  let differs = false;
  for (const name in after) {
    const change = difference(before[name], after[name]);
    if (change === undefined) continue;
    patch[name] = change;
    differs = true;
  }
  for (const name in before) {
    if (name in after) continue;
    patch[name] = null;
    differs = true;
  }
  return differs ? patch : null;
}

function difference(before: Json | undefined, after: Json): Json | Patch | undefined {
  if (before === after) return undefined;
  if (isDocument(before) && isDocument(after)) return mergePatch(before, after) ?? undefined;
  if (Array.isArray(before) && Array.isArray(after) && JSON.stringify(before) === JSON.stringify(after))
    return undefined;
  return after;
}

function isDocument(value: Json | undefined): value is Document {
  return typeof value === 'object' && !Array.isArray(value);
}
