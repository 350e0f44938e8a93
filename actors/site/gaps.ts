import { dataGap, iso } from '../device/facts.ts';
import { memberOf } from './members.ts';
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

/** When members begin and cease to be expected, and to be silent, in order. What never ends has no end here. */
function edgesOf(side: PlaceSide): Edge[] {
  const edges: Edge[] = [];
  for (const stay of side.stays) {
    const member = memberOf(side, stay.serial);
    if (stay.gone || member === null) continue;
    const from = Math.max(stay.from, member.firstAt);
    const to = stay.to ?? Number.POSITIVE_INFINITY;
    if (from >= to) continue;
    add(edges, from, to, { expected: 1, silent: 0 });
    for (const i of member.intervals) {
      if (i.type !== 'data_gap' || i.gone) continue;
      const start = Math.max(from, i.from);
      const end = Math.min(to, i.to ?? Number.POSITIVE_INFINITY);
      if (start < end) add(edges, start, end, { expected: 0, silent: 1 });
    }
  }
  return edges.sort((a, b) => a.at - b.at);
}

function add(edges: Edge[], from: number, to: number, of: { expected: number; silent: number }): void {
  edges.push({ at: from, ...of });
  if (to !== Number.POSITIVE_INFINITY) edges.push({ at: to, expected: -of.expected, silent: -of.silent });
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
