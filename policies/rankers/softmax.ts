import * as tf from "@tensorflow/tfjs-core";
import type { NamedArrays } from "../named-array.ts";
import { createMlp } from "../networks/mlp.ts";
import type { Network } from "../networks/network.ts";
import { deriveSeed, Random } from "../random.ts";
import type { Descent, RankerLearning } from "./descent.ts";
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
  readonly #learning: RankerLearning;
  #descent: Descent | undefined;
  #items: Float32Array;
  #bounds;

  /** @param items `[items, itemWidth]` */
  constructor(config: RankerConfig, items: Float32Array, learning: RankerLearning) {
    const { latentWidth, items: outputWidth, seed } = config;
    const { uniform: random } = new Random(deriveSeed(seed, "Softmax"));
    this.#config = config;
    this.#items = items;
    this.#learning = learning;
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
    const { slots, latentWidth } = this.#config;
    const { rows } = batch;
    this.#descent ??= this.#downhill();
    const latents = tf.tensor2d(this.encode(batch).mean, [rows, latentWidth]);
    const shown = tf.tensor2d(Int32Array.from(batch.slates), [rows, slots], "int32");
    const told = this.#descent.step([latents, shown]);
    const [loss] = await told[0]!.data();
    tf.dispose([latents, shown, ...told]);
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
    this.#descent?.dispose();
    this.#layer.dispose();
  }

  #downhill(): Descent {
    const { slots, items } = this.#config;
    return this.#learning.descend({
      ...{ parameters: this.#layer.parameters, constants: [], learningRate },
      losses: ([latents, shown]) => {
        const [rows] = shown!.shape;
        const wanted = tf.sum(tf.oneHot(shown as tf.Tensor2D, items), 1);
        const logits = this.#layer.forward(latents as tf.Tensor2D, []).outputs;
        const own = tf.sum(tf.mul(logits, wanted));
        const all = tf.mul(tf.sum(tf.logSumExp(logits, 1)), slots);
        return [tf.div<tf.Scalar>(tf.sub(all, own), rows!)];
      },
    });
  }
}
