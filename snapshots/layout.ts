import type { StateSchema } from './schema.ts';

/** Layouts of a schema that are shared; odd ones beyond have their own. */
const MAX_LAYOUTS = 4096;

/**
 * Where the columns of a row lie. One for all blocks with the same columns in use: a fleet has a handful of layouts and
 * thousands of blocks, and what every access reads first should be in the cache.
 */
export interface Layout {
  /** By column its place in the row, counted in elements of its type, or -1. Never written to. */
  readonly offsets: Int32Array;
  /** Bytes of a row, a multiple of 8. */
  readonly stride: number;
  /** By column added: the way that blocks before went, since young blocks go the same ways. */
  readonly ways: Map<number, Way>;
}

/** From one layout to the one with another column in use. */
export interface Way {
  readonly to: Layout;
  /** Stretches of bytes that lie together in rows of both. */
  readonly moves: readonly { readonly from: number; readonly to: number; readonly length: number }[];
}

/** The layout with the columns in use that `columns` names. */
export function layoutOf(schema: StateSchema, columns: Iterable<number>): Layout {
  const offsets = new Int32Array(schema.names.length).fill(-1);
  for (const c of columns) offsets[c] = 0;
  return shared(schema, offsets) ?? make(schema, offsets);
}

/** The way to the layout with column `added` in use as well. */
export function wayTo(schema: StateSchema, layout: Layout, added: number): Way {
  const known = layout.ways.get(added);
  if (known !== undefined) return known;
  const offsets = layout.offsets.slice();
  offsets[added] = 0;
  const kept = shared(schema, offsets);
  const to = kept ?? make(schema, offsets);
  const way = { to, moves: movesOf(schema, layout.offsets, to.offsets) };
  if (kept !== undefined) layout.ways.set(added, way);
  return way;
}

/** Gives every column in use its place in a row; returns the row's length in bytes. */
function placeColumns(schema: StateSchema, offsets: Int32Array): number {
  let bytes = 0;
  for (const width of [8, 4, 1]) {
    for (let c = 0; c < offsets.length; c++) {
      if (schema.widths[c] !== width || offsets[c] < 0) continue;
      offsets[c] = bytes / width;
      bytes += width;
    }
  }
  return (bytes + 7) & ~7;
}

function make(schema: StateSchema, offsets: Int32Array): Layout {
  return { stride: placeColumns(schema, offsets), offsets, ways: new Map() };
}

const layoutsBySchema = new WeakMap<StateSchema, Map<string, Layout>>();

/** The layout that all blocks with these columns in use share; undefined where there are too many. */
function shared(schema: StateSchema, offsets: Int32Array): Layout | undefined {
  let known = layoutsBySchema.get(schema);
  if (known === undefined) layoutsBySchema.set(schema, (known = new Map()));
  let name = '';
  for (let c = 0; c < offsets.length; c++) if (offsets[c] >= 0) name += String.fromCharCode(c);
  let layout = known.get(name);
  if (layout === undefined && known.size < MAX_LAYOUTS) known.set(name, (layout = make(schema, offsets)));
  return layout;
}

function movesOf(schema: StateSchema, before: Int32Array, after: Int32Array): Way['moves'] {
  const stretches: { from: number; to: number; length: number }[] = [];
  for (const width of [8, 4, 1]) {
    for (let c = 0; c < after.length; c++) {
      if (schema.widths[c] !== width || before[c] < 0) continue;
      const from = before[c] * width;
      const to = after[c] * width;
      const last = stretches.at(-1);
      if (last !== undefined && last.from + last.length === from && last.to + last.length === to) last.length += width;
      else stretches.push({ from, to, length: width });
    }
  }
  return stretches;
}
