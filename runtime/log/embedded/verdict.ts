import type { ValueHeader } from './value.ts';

/** A value met while the tail is verified: its key's offset and its header, or why it can't be trusted. */
export interface Seen {
  readonly base: number;
  readonly bytes: number;
  readonly header: ValueHeader | string;
}

/** A place in a partition between two values: everything a next value must fit to. */
export interface Seam {
  readonly offset: number;
  readonly crc: number;
  /** Bytes of values ever written before it. */
  readonly bytes: number;
}

/**
 * What the values of a partition say about each other.
 * - `whole`: they follow each other; the partition ends at `end`.
 * - `torn`: the newest ones are damaged and nothing good follows; good records end at `end`.
 * - `holed`: records from `from` on are lost although newer ones are good. `resume` is where the newest unbroken run
 *   begins, null when the newest value itself is damaged; `end` is the first offset certainly unused.
 */
export type Verdict =
  | { readonly kind: 'whole'; readonly end: Seam }
  | { readonly kind: 'torn'; readonly end: Seam; readonly damage: string }
  | {
      readonly kind: 'holed';
      readonly from: number;
      readonly resume: Seam | null;
      readonly end: Seam;
      readonly damage: string;
    };

const NOTHING: Seam = { offset: 0, crc: 0, bytes: 0 };

/**
 * Judges values in ascending order. `beginning` is the seam the oldest must fit to, or null when older values exist
 * that were not looked at.
 */
export function judge(seen: readonly Seen[], beginning: Seam | null): Verdict {
  let end = beginning ?? NOTHING;
  let known = beginning !== null;
  let goodEnd = end;
  let damage: string | null = null;
  let goodAfterDamage = false;
  let from = 0;
  let resume: Seam | null = null;
  for (const { base, bytes, header } of seen) {
    if (typeof header === 'string') {
      if (damage === null) from = known ? end.offset : base;
      damage ??= header;
      resume = null;
      known = false;
      end = { offset: Math.max(end.offset, base + 1), crc: 0, bytes: end.bytes };
      continue;
    }
    const fits = !known || (base === end.offset && header.previousCrc === end.crc);
    if (!fits && damage === null) {
      from = Math.min(end.offset, base);
      damage = base > end.offset ? 'values are missing' : 'values do not follow each other';
    }
    if (!fits || !known) resume = { offset: base, crc: header.previousCrc, bytes: header.bytesBefore };
    known = true;
    end = { offset: base + header.count, crc: header.crc, bytes: header.bytesBefore + bytes };
    if (damage === null) goodEnd = end;
    else goodAfterDamage = true;
  }
  if (damage === null) return { kind: 'whole', end };
  if (!goodAfterDamage) return { kind: 'torn', end: goodEnd, damage };
  return { kind: 'holed', from, resume, end, damage };
}
