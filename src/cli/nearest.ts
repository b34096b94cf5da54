/** What people type who come from elsewhere. */
const synonyms: Readonly<Record<string, string>> = { cat: "get", create: "add", delete: "remove", find: "search", ls: "list", new: "add", pass: "password", passwords: "password", pw: "password", rm: "remove", show: "get", update: "edit" };

/** The candidate that someone who typed `word` most likely meant: a synonym, the only one it begins, or the nearest within a third of its letters. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  const synonym = synonyms[lower];
  if (synonym !== undefined && candidates.includes(synonym)) return synonym;
  const begun = candidates.filter((candidate) => lower.length > 0 && candidate.startsWith(lower));
  if (begun.length === 1) return begun[0];
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: distance(lower, candidate) }))
    .filter((one) => one.distance <= Math.max(1, Math.floor(one.candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

/** Edits of one letter, or swaps of two neighbours, that make one word the other. */
function distance(a: string, b: string): number {
  let [older, row] = [[] as number[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(at(row, j) + 1, at(next, j - 1) + 1, at(row, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, at(older, j - 2) + 1);
      next.push(best);
    }
    [older, row] = [row, next];
  }
  return at(row, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
