import { isoTime as iso } from '../../runtime/kernel/iso.ts';
import { dataGap } from '../device/facts.ts';
import { MINUTE_MS, type PlaceSide, type Said, type Stay } from './state.ts';

/** Silence shorter than this is no gap, whatever the cadence. */
const SHORTEST_MS = MINUTE_MS;
const CADENCES = 3;

/**
 * Times in which all members of a site (two or more) were silent at once: the gateway or the logger was down, not each
 * of them. A gap lasts from the moment from which all are silent to the first one that speaks. A member counts from its
 * first reading. Chance meetings of two silences that are shorter than a silence has to be do not count.
 */
export function gatewayGaps(side: PlaceSide, siteId: string): Said[] {
  const gaps: Said[] = [];
  const shortest = shortestOf(side);
  let expected = 0;
  let silent = 0;
  let from: number | null = null;
  const edges = edgesOf(side);
  for (let i = 0; i < edges.length; ) {
    const { at } = edges[i];
    for (; i < edges.length && edges[i].at === at; i++) {
      expected += edges[i].expected;
      silent += edges[i].silent;
    }
    const all = expected >= 2 && silent === expected;
    if (all && from === null) from = at;
    else if (!all && from !== null) {
      if (at - from > shortest) gaps.push(gap(siteId, from, at));
      from = null;
    }
  }
  if (from !== null) gaps.push(gap(siteId, from, null));
  return gaps;
}

interface Edge {
  readonly at: number;
  readonly expected: number;
  readonly silent: number;
}

type Span = readonly [from: number, to: number];

/** When members begin and cease to be expected, and to be silent, in order. What never ends has no end here. */
function edgesOf(side: PlaceSide): Edge[] {
  const edges: Edge[] = [];
  for (const member of side.members) {
    const stays = side.stays.filter((stay) => stay.serial === member.serial && !stay.gone);
    const here = union(stays.map(({ from, to }) => [Math.max(from, member.firstAt), to ?? Infinity]));
    const gaps = member.intervals.filter((i) => i.type === 'data_gap' && !i.gone);
    const silences = union(gaps.map(({ from, to }) => [from, to ?? Infinity]));
    for (const [from, to] of here) {
      add(edges, from, to, 'expected');
      for (const [start, end] of silences) add(edges, Math.max(from, start), Math.min(to, end), 'silent');
    }
  }
  return edges.sort((a, b) => a.at - b.at);
}

function add(edges: Edge[], from: number, to: number, what: 'expected' | 'silent'): void {
  if (from >= to) return;
  const edge = { at: from, expected: 0, silent: 0, [what]: 1 };
  edges.push(edge);
  if (to !== Infinity) edges.push({ at: to, expected: 0 - edge.expected, silent: 0 - edge.silent });
}

/** The same time in spans that do not overlap, in order. */
function union(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (from >= to) continue;
    if (last !== undefined && from <= last[1]) joined[joined.length - 1] = [last[0], Math.max(last[1], to)];
    else joined.push([from, to]);
  }
  return joined;
}

/** How long the member that reports most often may be silent. */
function shortestOf(side: PlaceSide): number {
  const limits = side.stays.filter((stay) => !stay.gone).map(staleAfter);
  return limits.length === 0 ? SHORTEST_MS : Math.min(...limits);
}

function staleAfter({ cadenceS }: Stay): number {
  return cadenceS === null ? SHORTEST_MS : Math.max(CADENCES * cadenceS * 1000, SHORTEST_MS);
}

function gap(siteId: string, fromTime: number, toTime: number | null): Said {
  const key = `${siteId}/${iso(fromTime)}`;
  const data = { fromTime, toTime, class: 'gateway' };
  return { type: dataGap.name, key, eventTime: fromTime, until: toTime, data };
}
