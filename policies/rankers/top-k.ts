import { bestItems } from "./best-items.ts";
import { FixedRanker } from "./fixed-ranker.ts";
import type { Latents, Turns } from "./ranker.ts";
import { meansOf, rowsOf } from "./slates.ts";

/**
 * The items whose embeddings have the largest products with the latent, which is a point among them. With the
 * simulator's own embeddings a privileged reference.
 */
export class TopKRanker extends FixedRanker {
  async rank(latents: Float32Array): Promise<Float32Array> {
    rowsOf(latents, this.config);
    const { slots: each, itemWidth: width } = this.config;
    const found = await bestItems(latents, { data: this.items, width }, { each, score: "dot" });
    return Float32Array.from(found);
  }

  /** The middle of the slate's items. */
  encode({ slates }: Turns): Latents {
    const { slots, itemWidth: width } = this.config;
    return { mean: meansOf(slates, { slots, table: this.items, width }) };
  }
}
