/**
 * Turns as they are remembered, and recorded for learning: one number for each slot, the item's number and 1,
 * negative where it was clicked. Zeros: there was no turn, as at the first observation of an episode.
 *
 * @param observations `[rows, 2 · slots]`: ids of the last slate, then clicks
 * @param first whether a row is the first of an episode
 */
export function codesOf(
  observations: ArrayLike<number>,
  slots: number,
  first: (row: number) => boolean,
): Float32Array {
  const rows = observations.length / (2 * slots);
  const codes = new Float32Array(rows * slots);
  for (let row = 0; row < rows; row += 1) {
    if (first(row)) continue;
    const from = row * 2 * slots;
    for (let slot = 0; slot < slots; slot += 1) {
      const code = observations[from + slot]! + 1;
      codes[row * slots + slot] = observations[from + slots + slot]! > 0.5 ? -code : code;
    }
  }
  return codes;
}
