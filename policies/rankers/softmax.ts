import * as tf from "@tensorflow/tfjs-core";
import type { NamedArrays } from "../named-array.ts";
import { createMlp } from "../networks/mlp.ts";
import type { Network } from "../networks/network.ts";
import { deriveSeed, Random } from "../random.ts";
import type { Latents, Ranker, RankerConfig, Turns } from "./ranker.ts";
import {
  arrayOf,
  boundsEntries,
  boundsIn,
  entriesOf,
  loadInto,
  unitBounds,
} from "./ranker-arrays.ts";
import { meansOf, rowsOf } from "./slates.ts";

const learningRate = 1e-2;

/**
 * A softmax over all items, its logits linear in the latent: the ten that are most probable. Which latent a slate
 * had is the middle of its items' embeddings; the layer learns to give a slate's items back,
 * −Σ log p(item) over its slots.
 */
export class SoftmaxRanker implements Ranker {
  readonly #config: RankerConfig;
  readonly #layer: Network;
  readonly #optimiser = tf.train.adam(learningRate, 0.9, 0.999, 1e-8);
  #items: Float32Array;
  #bounds;

  /** @param items `[items, itemWidth]` */
  constructor(config: RankerConfig, items: Float32Array) {
    const { latentWidth, items: outputWidth, seed } = config;
    const { uniform: random } = new Random(deriveSeed(seed, "Softmax"));
    this.#config = config;
    this.#items = items;
    this.#layer = createMlp({
      ...{ inputWidth: latentWidth, hidden: [], outputWidth },
      ...{ activation: "relu", random, prefix: "logits" },
    });
    this.#bounds = unitBounds(latentWidth);
  }

  get_config(): RankerConfig {
    return this.#config;
  }

  async rank(latents: Float32Array): Promise<Float32Array> {
    const { latentWidth, slots } = this.#config;
    const shape: [number, number] = [rowsOf(latents, this.#config), latentWidth];
    const best = tf.tidy(() => {
      const logits = this.#layer.forward(tf.tensor2d(latents.slice(), shape), []).outputs;
      return tf.topk(logits, slots).indices;
    });
    const slates = Float32Array.from(await best.data());
    best.dispose();
    return slates;
  }

  encode({ slates }: Turns): Latents {
    const { slots, itemWidth: width } = this.#config;
    return { mean: meansOf(slates, { slots, table: this.#items, width }) };
  }

  async train_step(batch: Turns): Promise<Readonly<Record<string, number>>> {
    const { slots, items, latentWidth } = this.#config;
    const { rows } = batch;
    const cost = tf.tidy(() => {
      const latents = tf.tensor2d(this.encode(batch).mean, [rows, latentWidth]);
      const shown = tf.tensor1d(Int32Array.from(batch.slates), "int32");
      const wanted = tf.sum(tf.reshape(tf.oneHot(shown, items), [rows, slots, items]), 1);
      return this.#optimiser.minimize(
        () => {
          const logits = this.#layer.forward(latents, []).outputs;
          const own = tf.sum(tf.mul(logits, wanted));
          const all = tf.mul(tf.sum(tf.logSumExp(logits, 1)), slots);
          return tf.div<tf.Scalar>(tf.sub(all, own), rows);
        },
        true,
        this.#layer.parameters.map(({ value }) => value),
      )!;
    });
    const [loss] = await cost.data();
    cost.dispose();
    return { loss: loss! };
  }

  async save(): Promise<NamedArrays> {
    const { items, itemWidth } = this.#config;
    const table = { shape: [items, itemWidth], data: this.#items.slice() };
    const layer = await entriesOf(this.#layer.parameters);
    return { ...layer, items: table, ...boundsEntries(this.#bounds) };
  }

  load(arrays: NamedArrays): void {
    const { items, itemWidth, latentWidth } = this.#config;
    this.#items = arrayOf(arrays, "items", [items, itemWidth]);
    this.#bounds = boundsIn(arrays, latentWidth);
    loadInto(this.#layer.parameters, arrays);
  }

  dispose(): void {
    this.#optimiser.dispose();
    this.#layer.dispose();
  }
}
