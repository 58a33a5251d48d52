import type { NamedArrays } from "../named-array.ts";
import type { Ranker, Turns } from "./ranker.ts";

/** Batches of turns, all that were logged; begun anew at each call. */
export type TurnBatches = () => Iterable<Turns>;

/**
 * Gives a ranker the bounds of actions: from the least μ − σ to the largest μ + σ of each component over
 * logged slates. Components that never move get ±1.
 */
export async function measureBounds(ranker: Ranker, batches: TurnBatches): Promise<void> {
  const { latentWidth: width } = ranker.get_config();
  const low = new Float32Array(width).fill(Number.POSITIVE_INFINITY);
  const high = new Float32Array(width).fill(Number.NEGATIVE_INFINITY);
  for (const turns of batches()) {
    const { mean, deviation } = ranker.encode(turns);
    for (let i = 0; i < mean.length; i += 1) {
      const [k, off] = [i % width, deviation?.[i] ?? 0];
      low[k] = Math.min(low[k]!, mean[i]! - off);
      high[k] = Math.max(high[k]!, mean[i]! + off);
    }
  }
  for (let k = 0; k < width; k += 1) {
    if (high[k]! > low[k]!) continue;
    const middle = Number.isFinite(low[k]!) ? low[k]! : 0;
    [low[k], high[k]] = [middle - 1, middle + 1];
  }
  const bounds: NamedArrays = {
    low: { shape: [width], data: low },
    high: { shape: [width], data: high },
  };
  ranker.load({ ...(await ranker.save()), ...bounds });
}

/** How well slates come back from their latents. */
export interface Reconstruction {
  /** By slot: share of the slates whose item there comes back in the same place. */
  readonly slots: readonly number[];
  readonly mean: number;
  /** Share of the items that come back in any slot. */
  readonly recall: number;
}

export async function reconstructionOf(
  ranker: Ranker,
  batches: TurnBatches,
): Promise<Reconstruction> {
  const { slots } = ranker.get_config();
  const right = new Float64Array(slots);
  let [rows, found] = [0, 0];
  for (const turns of batches()) {
    const back = await ranker.rank(ranker.encode(turns).mean);
    rows += turns.rows;
    for (let i = 0; i < back.length; i += 1) {
      const row = Math.floor(i / slots) * slots;
      if (back[i] === turns.slates[i]) right[i % slots]! += 1;
      if (turns.slates.subarray(row, row + slots).includes(back[i]!)) found += 1;
    }
  }
  const shares = Array.from(right, (count) => count / rows);
  const mean = shares.reduce((sum, share) => sum + share, 0) / slots;
  return { slots: shares, mean, recall: found / (rows * slots) };
}
