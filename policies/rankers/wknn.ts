import { bestItems } from "./best-items.ts";
import { FixedRanker } from "./fixed-ranker.ts";
import type { Judge, Latents, Turns } from "./ranker.ts";
import { fillSlots, rowsAt, rowsOf } from "./slates.ts";

/**
 * A point for each slot among the items' embeddings (Wolpertinger with k nearest neighbours: Dulac-Arnold and
 * others, 2015): as many of the nearest items as there are slots, of which a critic chooses slot by slot; the
 * nearest where nobody judges.
 */
export class WknnRanker extends FixedRanker {
  async rank(latents: Float32Array, judge?: Judge): Promise<Float32Array> {
    rowsOf(latents, this.config);
    const { slots, itemWidth: width } = this.config;
    const items = { data: this.items, width };
    const candidates = await bestItems(latents, items, { each: slots, score: "near" });
    if (judge === undefined) return fillSlots(candidates, { slots, each: slots });
    return this.#judged(latents, candidates, judge);
  }

  /** The latent of each slate is its items side by side. */
  encode({ slates }: Turns): Latents {
    return { mean: rowsAt(slates, this.items, this.config.itemWidth) };
  }

  /** Slot by slot: what is chosen replaces its point, so that later slots are judged beside it. */
  async #judged(latents: Float32Array, candidates: Int32Array, judge: Judge) {
    const { slots, itemWidth: width, latentWidth } = this.config;
    const rows = latents.length / latentWidth;
    const chosen = latents.slice();
    const slates = new Float32Array(rows * slots).fill(-1);
    for (let slot = 0; slot < slots; slot += 1) {
      const tried = new Float32Array(rows * slots * latentWidth);
      for (let i = 0; i < rows * slots; i += 1) {
        const row = Math.floor(i / slots);
        const item = candidates[(row * slots + slot) * slots + (i % slots)]!;
        tried.set(chosen.subarray(row * latentWidth, (row + 1) * latentWidth), i * latentWidth);
        const at = i * latentWidth + slot * width;
        tried.set(this.items.subarray(item * width, (item + 1) * width), at);
      }
      const values = await judge(tried, slots);
      for (let row = 0; row < rows; row += 1) {
        const from = (row * slots + slot) * slots;
        const own = slates.subarray(row * slots, (row + 1) * slots);
        const item = bestFree(candidates.subarray(from, from + slots), own, (k) => {
          return values[row * slots + k]!;
        });
        own[slot] = item;
        const at = row * latentWidth + slot * width;
        chosen.set(this.items.subarray(item * width, (item + 1) * width), at);
      }
    }
    return slates;
  }
}

/** Of those that are in no slot yet, the one of the highest value. */
function bestFree(items: Int32Array, taken: Float32Array, worth: (k: number) => number): number {
  let [best, most] = [-1, -Infinity];
  for (const [k, item] of items.entries()) {
    if (taken.includes(item)) continue;
    const value = worth(k);
    // A value that is no number is no reason to leave the slot empty.
    if (best < 0 || value > most) [best, most] = [item, value];
  }
  return best;
}
