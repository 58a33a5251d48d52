import { PolicyError } from "../policy-error.ts";
import type { RankerConfig } from "./ranker.ts";

/** How many rows of latents there are. @throws PolicyError `latent-width` */
export function rowsOf(latents: Float32Array, { ranker, latentWidth }: RankerConfig): number {
  const rows = latents.length / latentWidth;
  if (Number.isInteger(rows)) return rows;
  throw new PolicyError(
    "latent-width",
    `${latents.length} numbers are no rows of ${latentWidth}, the width of ${ranker}'s latents`,
    "Fly the agent with the ranker it was trained with.",
  );
}

/**
 * Slates without an item twice: each slot takes the best of its candidates that no slot before it took.
 *
 * @param candidates `[rows, slots, each]`, best first; at least as many for a slot as there are slots
 */
export function fillSlots(
  candidates: ArrayLike<number>,
  { slots, each }: { readonly slots: number; readonly each: number },
): Float32Array {
  const rows = candidates.length / (slots * each);
  const slates = new Float32Array(rows * slots);
  const taken = new Set<number>();
  for (let row = 0; row < rows; row += 1) {
    taken.clear();
    for (let slot = 0; slot < slots; slot += 1) {
      const from = (row * slots + slot) * each;
      let k = 0;
      while (taken.has(candidates[from + k]!)) k += 1;
      taken.add(candidates[from + k]!);
      slates[row * slots + slot] = candidates[from + k]!;
    }
  }
  return slates;
}

/** Rows of a table, one after the other: `[ids, width]`. */
export function rowsAt(ids: ArrayLike<number>, table: Float32Array, width: number): Float32Array {
  const out = new Float32Array(ids.length * width);
  for (let i = 0; i < ids.length; i += 1) {
    const from = ids[i]! * width;
    for (let k = 0; k < width; k += 1) out[i * width + k] = table[from + k]!;
  }
  return out;
}

/** The mean over the slots of each slate's items: `[rows, width]`. */
export function meansOf(
  slates: ArrayLike<number>,
  { slots, table, width }: { readonly slots: number; readonly table: Float32Array; width: number },
): Float32Array {
  const rows = slates.length / slots;
  const out = new Float32Array(rows * width);
  for (let i = 0; i < slates.length; i += 1) {
    const at = Math.floor(i / slots) * width;
    for (let k = 0; k < width; k += 1) out[at + k]! += table[slates[i]! * width + k]! / slots;
  }
  return out;
}
