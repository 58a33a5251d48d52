import { bestItems } from "./best-items.ts";
import type { Judge } from "./ranker.ts";

/** Chooses other latents in place of an agent's, `[rows, latentWidth]`. */
export type LatentChoice = (latents: Float32Array, judge: Judge) => Promise<Float32Array>;

/**
 * Of the known latents that are nearest to each, measured in halves of the range of each component, the one
 * that is worth most.
 *
 * @param library `[known, latentWidth]`, in ±1
 */
export function chooseNearest(
  library: Float32Array,
  { center, half }: { readonly center: readonly number[]; readonly half: readonly number[] },
  neighbours: number,
): LatentChoice {
  const width = center.length;
  const each = Math.min(neighbours, library.length / width);
  return async (latents, judge) => {
    const units = latents.map((x, i) => (x - center[i % width]!) / half[i % width]!);
    const near = await bestItems(units, { data: library, width }, { each, score: "near" });
    const candidates = new Float32Array(near.length * width);
    for (const [i, known] of near.entries()) {
      for (let k = 0; k < width; k += 1) {
        candidates[i * width + k] = center[k]! + half[k]! * library[known * width + k]!;
      }
    }
    const values = await judge(candidates, each);
    const chosen = new Float32Array(latents.length);
    for (let row = 0; row < latents.length / width; row += 1) {
      const own = values.subarray(row * each, (row + 1) * each);
      const best = row * each + own.reduce((at, value, k) => (value > own[at]! ? k : at), 0);
      chosen.set(candidates.subarray(best * width, (best + 1) * width), row * width);
    }
    return chosen;
  };
}
