import * as tf from "@tensorflow/tfjs-core";
import { type NamedArray, type NamedArrays, shapeText } from "../named-array.ts";
import { PolicyError } from "../policy-error.ts";

/** Running statistics of observations, `[width]` each. */
export interface NormaliserState {
  readonly mean: Float32Array;
  /** Biased: over n, not n − 1. */
  readonly variance: Float32Array;
  /**
   * What inputs are divided by, but for the small constant; √variance unless a file says otherwise.
   */
  readonly std: Float32Array;
  /** Rows seen. */
  readonly count: number;
  /** Added to `std`; default `NORMALISER_EPSILON`. */
  readonly epsilon?: number | undefined;
}

/** `[1, width]` each. */
export interface NormaliserTensors {
  readonly mean: tf.Tensor2D;
  /** Standard deviation and the small constant. */
  readonly divisor: tf.Tensor2D;
}

/** Added to the standard deviation, as in rsl_rl: a component that never moves is not blown up. */
export const NORMALISER_EPSILON = 1e-2;
const PREFIX = "obs_normalizer.";

/**
 * rsl_rl's EmpiricalNormalization: output (x − mean) / (std + epsilon), 0.01 there. Statistics change in `update`
 * and `load` only.
 * Holds two tensors, `[1, width]` each, until `dispose`.
 */
export class Normaliser {
  readonly width: number;
  #state: NormaliserState;
  #tensors: NormaliserTensors | undefined;

  /** Mean 0, variance 1, nothing seen yet; or a state, which is copied. */
  constructor(width: number, state?: NormaliserState) {
    this.width = width;
    this.#state = copyOf(
      state ?? {
        mean: new Float32Array(width),
        variance: new Float32Array(width).fill(1),
        std: new Float32Array(width).fill(1),
        count: 0,
      },
      width,
    );
  }

  get count(): number {
    return this.#state.count;
  }

  /** A copy of the statistics. */
  state(): NormaliserState {
    return copyOf(this.#state, this.width);
  }

  /** `[rows, width]` in and out; differentiable in x; call inside `tidy`. */
  apply(x: tf.Tensor2D): tf.Tensor2D {
    return normalise(x, this.#loaded());
  }

  /** What `apply` uses, `[1, width]` each; the caller's to dispose. Of no use after the next `update` or `load`. */
  constants(): NormaliserTensors {
    const { mean, divisor } = this.#loaded();
    return { mean: mean.clone(), divisor: divisor.clone() };
  }

  /**
   * Takes in a batch `[rows, width]`, row-major. The batch's mean and biased variance are merged by
   * the share of rows that the batch makes up
   * (Chan, Golub and LeVeque's update), in float64, and kept as float32 as rsl_rl keeps them.
   */
  update(batch: Float32Array): void {
    const { width } = this;
    const rows = batch.length / width;
    if (!Number.isSafeInteger(rows)) {
      throw new PolicyError(
        "observation-width",
        `a batch of ${batch.length} numbers, expected a multiple of the width ${width}`,
        "Give whole rows.",
      );
    }
    if (rows === 0) return;
    const { mean: oldMean, variance: oldVariance } = this.#state;
    const count = this.#state.count + rows;
    const rate = rows / count;
    const { mean: batchMean, variance: batchVariance } = momentsOf(batch, width);
    const mean = oldMean.map((old, i) => old + rate * ((batchMean[i] as number) - old));
    const variance = oldVariance.map((old, i) => {
      const seen = batchMean[i] as number;
      const shift = (seen - (oldMean[i] as number)) * (seen - (mean[i] as number));
      return old + rate * ((batchVariance[i] as number) - old + shift);
    });
    const { epsilon } = this.#state;
    this.#replace({ mean, variance, std: variance.map(Math.sqrt), count, epsilon });
  }

  /** By rsl_rl's names, `obs_normalizer._mean` `[1, width]` and so on. */
  save(): Record<string, NamedArray> {
    const { mean, variance, std, count, epsilon } = this.#state;
    const row = (data: Float32Array): NamedArray => ({
      shape: [1, this.width],
      data: data.slice(),
    });
    const exact = Math.fround(count);
    const saved: Record<string, NamedArray> = {
      [`${PREFIX}_mean`]: row(mean),
      [`${PREFIX}_var`]: row(variance),
      [`${PREFIX}_std`]: row(std),
      [`${PREFIX}count`]: { shape: [], data: Float32Array.of(exact) },
    };
    // float32 counts exactly to 2^24 only; the rest of a longer count is kept beside it.
    if (exact !== count) {
      saved[`${PREFIX}count_rest`] = { shape: [], data: Float32Array.of(count - exact) };
    }
    if (epsilon !== undefined) {
      saved[`${PREFIX}_epsilon`] = { shape: [], data: Float32Array.of(epsilon) };
    }
    return saved;
  }

  /** Takes in what `save` gave; other names are left alone. */
  load(arrays: NamedArrays): void {
    const state = normaliserStateIn(arrays);
    if (state === undefined) {
      throw new PolicyError(
        "missing-normaliser",
        `no ${PREFIX}_mean among ${Object.keys(arrays).join(", ")}`,
        "The checkpoint was made without observation normalisation: switch it off, or start anew.",
      );
    }
    this.#replace(copyOf(state, this.width));
  }

  dispose(): void {
    if (this.#tensors !== undefined) tf.dispose([this.#tensors.mean, this.#tensors.divisor]);
    this.#tensors = undefined;
  }

  #replace(state: NormaliserState): void {
    this.#state = state;
    this.dispose();
  }

  #loaded(): NormaliserTensors {
    if (this.#tensors === undefined) {
      const { mean, std, epsilon = NORMALISER_EPSILON } = this.#state;
      const divisor = std.map((value) => value + epsilon);
      const shape: [number, number] = [1, this.width];
      this.#tensors = {
        mean: tf.keep(tf.tensor2d(mean.slice(), shape)),
        divisor: tf.keep(tf.tensor2d(divisor, shape)),
      };
    }
    return this.#tensors;
  }
}

/** `Normaliser.apply` as a function of tensors alone. */
export function normalise(x: tf.Tensor2D, { mean, divisor }: NormaliserTensors): tf.Tensor2D {
  return tf.div(tf.sub(x, mean), divisor);
}

/** The statistics among named arrays, or nothing when there are none. */
export function normaliserStateIn(arrays: NamedArrays): NormaliserState | undefined {
  const data = (name: string) => arrays[PREFIX + name]?.data;
  const mean = data("_mean");
  const variance = data("_var");
  if (mean === undefined || variance === undefined) return undefined;
  const std = data("_std") ?? variance.map(Math.sqrt);
  const count = (data("count")?.[0] ?? 0) + (data("count_rest")?.[0] ?? 0);
  return { mean, variance, std, count, epsilon: data("_epsilon")?.[0] };
}

function copyOf(state: NormaliserState, width: number): NormaliserState {
  const mean = Float32Array.from(state.mean);
  const variance = Float32Array.from(state.variance);
  const std = Float32Array.from(state.std);
  const wrong = [mean, variance, std].find((array) => array.length !== width);
  if (wrong !== undefined) {
    throw new PolicyError(
      "normaliser-width",
      `statistics of width ${shapeText([wrong.length])}, expected ${shapeText([width])}`,
      "Use the observation groups that the statistics were made with.",
    );
  }
  return { mean, variance, std, count: state.count, epsilon: state.epsilon };
}

/** Mean and biased variance of each column, two passes. */
function momentsOf(batch: Float32Array, width: number) {
  const rows = batch.length / width;
  const mean = new Float64Array(width);
  const variance = new Float64Array(width);
  for (let i = 0; i < batch.length; i++) {
    mean[i % width] = (mean[i % width] as number) + (batch[i] as number) / rows;
  }
  for (let i = 0; i < batch.length; i++) {
    const distance = (batch[i] as number) - (mean[i % width] as number);
    variance[i % width] = (variance[i % width] as number) + distance ** 2 / rows;
  }
  return { mean, variance };
}
