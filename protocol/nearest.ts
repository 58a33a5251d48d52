import { distance } from "fastest-levenshtein";

/** Letters of a word that are looked at: nobody mistypes more. */
const LONGEST = 100;

export interface NearestOptions {
  /** Single-letter edits that still count as a slip; half of the word's letters if left out. */
  readonly within?: number;
}

/**
 * What somebody who mistyped `word` most likely meant: the known word that the fewest single-letter edits
 * (Levenshtein's distance) lead to, letters of either case being equal. Undefined where none is near.
 */
export function nearest(
  word: string,
  known: readonly string[],
  options: NearestOptions = {},
): string | undefined {
  const typed = word.slice(0, LONGEST).toLowerCase();
  const { within = Math.ceil(typed.length / 2) } = options;
  const near = known
    .map((candidate) => ({ candidate, edits: distance(typed, candidate.toLowerCase()) }))
    .filter(({ edits }) => edits <= within);
  return near.sort((a, b) => a.edits - b.edits)[0]?.candidate;
}
