/**
 * How good a policy is in units of another, as a student in those of its teacher: the ratio of their returns, 1 where
 * they are equal.
 *
 * A return may well be negative (a reward that is all penalties). There the plain ratio would call the
 * worse of two policies the better one; counted as the distance from the other in units of the size
 * of its return it grows with the own return everywhere, and is the plain ratio where the other's is above 0.
 *
 * NaN or infinite where there is nothing to compare: an unknown return, or another's of exactly 0.
 */
export function relativeReturn(own: number, other: number): number {
  return other > 0 ? own / other : 1 + (own - other) / Math.abs(other);
}
