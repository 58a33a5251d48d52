import { DatasetError } from "./dataset-error.ts";
import type { RecordedFlights } from "./recorded-flights.ts";
import { backwards } from "./statistics.ts";

/**
 * Numbers of the episodes with the highest returns, in the file's order: `fraction` of them, rounded
 * down, at least one; equal returns in the file's order. Discounted from the first step where
 * `discount` is below 1, as CORL's BC does with 0.99.
 *
 * @throws DatasetError where no rewards are recorded or the fraction is not in (0, 1]
 */
export function bestEpisodes(
  flights: RecordedFlights,
  fraction: number,
  options: { readonly discount?: number } = {},
): Int32Array {
  const { discount = 1 } = options;
  if (!(fraction > 0 && fraction <= 1)) {
    const message = `A share of ${fraction} of the episodes can't be taken`;
    throw new DatasetError("bad-fraction", message, "Give a number above 0, at most 1.");
  }
  const { lengths, returns } = flights.episodes;
  const flown = Array.from(lengths.keys()).filter((episode) => lengths[episode]! > 0);
  if (fraction === 1) return Int32Array.from(flown);
  if (!flights.spec.hasRewards) {
    throw new DatasetError(
      "missing-rewards",
      `${flights.path} has no rewards recorded, so no episode is the best`,
      "Learn from all of them: leave out --bc_fraction.",
    );
  }
  const score = returns.slice();
  if (discount < 1) for (const e of flown) score[e] = backwards(flights, e, discount).first;
  const ranked = [...flown].sort((a, b) => score[b]! - score[a]! || a - b);
  const count = Math.max(1, Math.floor(fraction * flown.length));
  return Int32Array.from(ranked.slice(0, count)).sort();
}
