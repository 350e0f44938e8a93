/** Rows as comparable text, by view. */
export type Rows = ReadonlyMap<string, readonly string[]>;

/** What one has and the other has not, a few of them: short enough to read. */
export function differences(calm: Rows, other: Rows): string[] {
  const found: string[] = [];
  for (const [view, rows] of calm) {
    const [here, there] = [new Set(rows), new Set(other.get(view))];
    for (const row of here) if (!there.has(row)) found.push(`${view}: only calm ${row}`);
    for (const row of there) if (!here.has(row)) found.push(`${view}: only other ${row}`);
    if (rows.length !== other.get(view)?.length) found.push(`${view}: ${rows.length} rows, ${other.get(view)?.length}`);
  }
  return found.slice(0, 12);
}
