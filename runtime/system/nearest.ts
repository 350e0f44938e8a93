/** The known name that a misspelt one most likely means, or null when none is near. Case, dots, dashes and underscores do not count. */
export function nearest(name: string, known: readonly string[]): string | null {
  const plain = simplify(name);
  let best: string | null = null;
  let least = Math.max(2, Math.ceil(plain.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(plain, simplify(candidate), least);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

function simplify(name: string): string {
  return name.toLowerCase().replaceAll(/[._-]/g, '');
}

/** Levenshtein distance, or `limit` when it is not less. Bounded input: names longer than 64 characters are cut. */
function editDistance(a: string, b: string, limit: number): number {
  const [s, t] = [a.slice(0, 64), b.slice(0, 64)];
  if (Math.abs(s.length - t.length) >= limit) return limit;
  let row = Array.from({ length: t.length + 1 }, (_, i) => i);
  for (let i = 1; i <= s.length; i++) {
    const next = [i];
    for (let j = 1; j <= t.length; j++) {
      const change = row[j - 1] + (s[i - 1] === t[j - 1] ? 0 : 1);
      next[j] = Math.min(change, row[j] + 1, next[j - 1] + 1);
    }
    row = next;
  }
  return Math.min(limit, row[t.length]);
}
