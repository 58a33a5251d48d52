import * as tf from "@tensorflow/tfjs-core";
import type { NamedArrays } from "../named-array.ts";
import { createMlp } from "../networks/mlp.ts";
import type { Network, Parameter } from "../networks/network.ts";
import { deriveSeed, Random } from "../random.ts";
import { bestItems } from "./best-items.ts";
import type { Descent, RankerLearning } from "./descent.ts";
import { createItems, type ItemTable } from "./item-table.ts";
import { missedItems } from "./missed-items.ts";
import type { Latents, Ranker, RankerConfig, Turns } from "./ranker.ts";
import { boundsEntries, boundsIn, entriesOf, loadInto, unitBounds } from "./ranker-arrays.ts";
import { fillSlots, rowsOf } from "./slates.ts";

const learningRate = 1e-3;
const encoderHidden = [512, 256];
const decoderHidden = [256, 512];

/**
 * GeMS (Deffayet and others, 2023): a variational auto-encoder of slates and clicks. The encoder sees each slot's
 * item embedding and click; the decoder gives for each slot a point that is held against all items, and a click.
 * Loss of a slate: −Σ log p(item of the slot) + click weight · Σ cross-entropy of the clicks
 * + KL weight · KL(latent, N(0, 1)).
 */
export class GemsRanker implements Ranker {
  readonly #config: RankerConfig;
  readonly #items: ItemTable;
  readonly #encoder: Network;
  readonly #decoder: Network;
  readonly #parameters: readonly Parameter[];
  readonly #learning: RankerLearning;
  readonly #random: Random;
  #descent: Descent | undefined;
  #steps = 0;
  #bounds;

  /** @param items `[items, itemWidth]`; absent: learned with the rest */
  constructor(config: RankerConfig, items: Float32Array | undefined, learning: RankerLearning) {
    const { latentWidth, slots, itemWidth, seed } = config;
    const random = new Random(deriveSeed(seed, "GeMS"));
    const made = { activation: "relu", random: random.uniform };
    const seen = slots * (itemWidth + 1);
    this.#config = config;
    this.#items = createItems(config, items, random);
    this.#encoder = createMlp({
      ...{ ...made, inputWidth: seen, hidden: encoderHidden, outputWidth: 2 * latentWidth },
      prefix: "encoder",
    });
    this.#decoder = createMlp({
      ...{ ...made, inputWidth: latentWidth, hidden: decoderHidden, outputWidth: seen },
      prefix: "decoder",
    });
    this.#parameters = [...this.#encoder.parameters, ...this.#decoder.parameters];
    this.#random = random;
    this.#learning = learning;
    this.#bounds = unitBounds(latentWidth);
  }

  get_config(): RankerConfig {
    return this.#config;
  }

  async rank(latents: Float32Array): Promise<Float32Array> {
    const rows = rowsOf(latents, this.#config);
    const { slots, itemWidth: width, latentWidth } = this.#config;
    const decoded = tf.tidy(() => {
      const inputs = tf.tensor2d(latents.slice(), [rows, latentWidth]);
      return this.#decode(inputs).points;
    });
    const queries = (await decoded.data()) as Float32Array;
    decoded.dispose();
    const items = { data: this.#items.data(), width };
    const candidates = await bestItems(queries, items, { each: slots, score: "dot" });
    return fillSlots(candidates, { slots, each: slots });
  }

  encode(turns: Turns): Latents {
    return tf.tidy(() => {
      const { mean, logVariance } = this.#latentOf(tensorsOf(turns, this.#config.slots));
      const deviation = tf.exp(tf.div(logVariance, 2)).dataSync() as Float32Array;
      return { mean: (mean.dataSync() as Float32Array).slice(), deviation: deviation.slice() };
    });
  }

  async train_step(batch: Turns): Promise<Readonly<Record<string, number>>> {
    const { latentWidth, slots } = this.#config;
    const { klWeight, klWarmup } = this.#learning;
    const grown = klWarmup > 0 ? Math.min(1, this.#steps / klWarmup) : 1;
    this.#descent ??= this.#downhill();
    this.#steps += 1;
    const noise = Float32Array.from({ length: batch.rows * latentWidth }, this.#random.normal);
    const { slates, clicks } = tensorsOf(batch, slots);
    const drawn = tf.tensor2d(noise, [batch.rows, latentWidth]);
    const inputs = [slates, clicks, drawn, tf.scalar(klWeight * grown)];
    const told = this.#descent.step(inputs);
    const [loss, slate, click, kl] = await Promise.all(told.map((one) => one.data()));
    tf.dispose([...inputs, ...told]);
    return { loss: loss![0]!, slate: slate![0]!, click: click![0]!, kl: kl![0]! };
  }

  async save(): Promise<NamedArrays> {
    const networks = await entriesOf(this.#parameters);
    return { ...networks, items: this.#items.save(), ...boundsEntries(this.#bounds) };
  }

  load(arrays: NamedArrays): void {
    this.#bounds = boundsIn(arrays, this.#config.latentWidth);
    this.#items.load(arrays);
    loadInto(this.#parameters, arrays);
  }

  dispose(): void {
    this.#descent?.dispose();
    tf.dispose([this.#encoder, this.#decoder].flatMap(valuesOf));
    this.#items.dispose();
  }

  #latentOf({ slates, clicks }: Seen): { mean: tf.Tensor2D; logVariance: tf.Tensor2D } {
    const { slots, itemWidth } = this.#config;
    const [rows] = slates.shape;
    const shown = tf.reshape(this.#items.gather(slates), [rows, slots, itemWidth]);
    const slotwise = tf.concat([shown, tf.expandDims(clicks, 2)], 2);
    const inputs = tf.reshape(slotwise, [rows, slots * (itemWidth + 1)]) as tf.Tensor2D;
    const [mean, logVariance] = tf.split(this.#encoder.forward(inputs, []).outputs, 2, 1);
    return { mean: mean as tf.Tensor2D, logVariance: logVariance as tf.Tensor2D };
  }

  /** `points`: `[rows · slots, itemWidth]`; `clicks`: `[rows, slots]`, log-odds. */
  #decode(latent: tf.Tensor2D): { points: tf.Tensor2D; clicks: tf.Tensor2D } {
    const { slots, itemWidth } = this.#config;
    const outputs = this.#decoder.forward(latent, []).outputs;
    const [points, clicks] = tf.split(outputs, [slots * itemWidth, slots], 1);
    return {
      points: tf.reshape(points!, [-1, itemWidth]) as tf.Tensor2D,
      clicks: clicks as tf.Tensor2D,
    };
  }

  #downhill(): Descent {
    const { descend } = this.#learning;
    const table = { name: "items", value: this.#items.table };
    const own = this.#items.learned ? [table] : [];
    return descend({
      ...{ parameters: [...this.#parameters, ...own], learningRate },
      constants: this.#items.learned ? [] : [table.value],
      losses: ([slates, clicks, noise, klWeight]) => {
        const seen = { slates: slates as tf.Tensor2D, clicks: clicks as tf.Tensor2D };
        return this.#losses(seen, noise as tf.Tensor2D, klWeight as tf.Scalar);
      },
    });
  }

  /** Means over the rows: all of it, the slate's, the clicks', and the distance to N(0, 1). */
  #losses(seen: Seen, noise: tf.Tensor2D, klWeight: tf.Scalar): readonly tf.Scalar[] {
    const { slots } = this.#config;
    const [rows] = seen.slates.shape;
    const { mean, logVariance } = this.#latentOf(seen);
    const latent: tf.Tensor2D = tf.add(mean, tf.mul(tf.exp(tf.div(logVariance, 2)), noise));
    const { points, clicks } = this.#decode(latent);
    const missed = missedItems(points, this.#items.table, seen.slates);
    const slate = tf.div<tf.Scalar>(missed, rows);
    // −log σ(±x) = softplus(∓x).
    const wrong = tf.sub(tf.softplus(clicks), tf.mul(clicks, seen.clicks));
    const click = tf.mul<tf.Scalar>(tf.mean(wrong), slots);
    const inner = tf.sub(tf.sub(tf.add(logVariance, 1), tf.square(mean)), tf.exp(logVariance));
    const kl = tf.div<tf.Scalar>(tf.mul(tf.sum(inner), -0.5), rows);
    const besides = tf.add(tf.mul(click, this.#learning.clickWeight), tf.mul(kl, klWeight));
    return [tf.add<tf.Scalar>(slate, besides), slate, click, kl];
  }
}

interface Seen {
  /** `[rows, slots]`, int32. */
  readonly slates: tf.Tensor2D;
  readonly clicks: tf.Tensor2D;
}

function tensorsOf({ rows, slates, clicks }: Turns, slots: number): Seen {
  return {
    slates: tf.tensor2d(Int32Array.from(slates), [rows, slots], "int32"),
    clicks: tf.tensor2d(Float32Array.from(clicks), [rows, slots]),
  };
}

function valuesOf({ parameters }: Network): tf.Variable[] {
  return parameters.map(({ value }) => value);
}
