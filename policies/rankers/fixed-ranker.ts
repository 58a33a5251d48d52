import type { NamedArrays } from "../named-array.ts";
import type { Judge, Latents, Ranker, RankerConfig, Turns } from "./ranker.ts";
import { arrayOf, boundsEntries, boundsIn, unitBounds } from "./ranker-arrays.ts";

/** A ranker that is nothing but a table of items' embeddings: it never learns. */
export abstract class FixedRanker implements Ranker {
  protected readonly config: RankerConfig;
  /** `[items, itemWidth]`. */
  protected items: Float32Array;
  #bounds;

  constructor(config: RankerConfig, items: Float32Array) {
    this.config = config;
    this.items = items;
    this.#bounds = unitBounds(config.latentWidth);
  }

  abstract rank(latents: Float32Array, judge?: Judge): Promise<Float32Array>;
  abstract encode(turns: Turns): Latents;

  get_config(): RankerConfig {
    return this.config;
  }

  async train_step(): Promise<null> {
    return null;
  }

  async save(): Promise<NamedArrays> {
    const { items, itemWidth } = this.config;
    const table = { shape: [items, itemWidth], data: this.items.slice() };
    return { items: table, ...boundsEntries(this.#bounds) };
  }

  load(arrays: NamedArrays): void {
    const { items, itemWidth, latentWidth } = this.config;
    this.items = arrayOf(arrays, "items", [items, itemWidth]);
    this.#bounds = boundsIn(arrays, latentWidth);
  }

  dispose(): void {}
}
