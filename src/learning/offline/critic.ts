import * as tf from "@tensorflow/tfjs-core";
import type { NamedArrays } from "../../../policies/named-array.ts";
import { createMlp, type LayerInit } from "../../../policies/networks/mlp.ts";
import type { Network } from "../../../policies/networks/network.ts";
import type { Sheet } from "./figures.ts";
import type { Transitions } from "./transitions.ts";

/** Of layer norms, where no setting says otherwise: added to the variance, as ReBRAC has it. */
export const layerNorm = { epsilon: 1e-6 };

export interface CriticOptions {
  readonly observationWidth: number;
  readonly actionWidth: number;
  readonly hidden: readonly number[];
  readonly layerNorm?: { readonly epsilon: number } | undefined;
  readonly random: () => number;
  readonly init?: LayerInit | undefined;
  readonly weights?: NamedArrays | undefined;
  /** See `MlpOptions`. */
  readonly stride?: number | undefined;
}

/** Q(s, a): one number from a state and an action side by side. ReLU between its layers. */
export function createCritic(prefix: string, options: CriticOptions): Network {
  const { observationWidth, actionWidth, hidden, weights } = options;
  const { layerNorm, random, init, stride } = options;
  return createMlp({
    inputWidth: observationWidth + actionWidth,
    outputWidth: 1,
    ...{ hidden, activation: "relu", layerNorm, random, init, stride, prefix },
    ...(weights && { weights }),
  });
}

/** Two of them. @param prefixes of their parameters' names */
export function createTwins(prefixes: readonly [string, string], options: CriticOptions): Twins {
  return [createCritic(prefixes[0], options), createCritic(prefixes[1], options)];
}

/** `[rows]`. */
export function qValue(critic: Network, states: tf.Tensor2D, actions: tf.Tensor2D): tf.Tensor1D {
  const inputs = tf.concat2d([states, actions], 1);
  return tf.reshape(critic.forward(inputs, []).outputs, [-1]) as tf.Tensor1D;
}

/** Each state `count` times in a row, beside whose actions it is valued: `[rows · count, width]`. */
export function repeatedStates(states: tf.Tensor2D, count: number): tf.Tensor2D {
  const [rows, width] = states.shape;
  const repeated = tf.tile(tf.expandDims(states, 1), [1, count, 1]);
  return tf.reshape(repeated, [rows * count, width]) as tf.Tensor2D;
}

/** The smaller of two estimates, `[rows]`: twins curb over-estimation (Fujimoto, 2018). */
export function leastQValue(
  [first, second]: Twins,
  states: tf.Tensor2D,
  actions: tf.Tensor2D,
): tf.Tensor1D {
  return tf.minimum(qValue(first, states, actions), qValue(second, states, actions));
}

export type Twins = readonly [Network, Network];

/** Mean over the rows of the squared distance. */
export function meanSquare(a: tf.Tensor, b: tf.Tensor): tf.Scalar {
  return tf.mean(tf.square(tf.sub(a, b))) as tf.Scalar;
}

/** y = r + γ (1 − d) · what the next state is worth, `[rows]`. */
export function backedUp(
  { rewards, alive }: Transitions,
  values: tf.Tensor,
  { discount }: { readonly discount: number },
): tf.Tensor1D {
  return tf.add(rewards, tf.mul(tf.mul(alive, discount), values));
}

/** What two critics say of what was done, and how far that is from what is wanted. */
export interface TwinErrors {
  /** `[rows]`. */
  readonly first: tf.Tensor1D;
  readonly second: tf.Tensor1D;
  /** MSE(Q₁, y) + MSE(Q₂, y). */
  readonly sum: tf.Scalar;
}

/** @param wanted y, `[rows]` */
export function twinErrors(
  critics: Twins,
  { observations, actions }: Transitions,
  wanted: tf.Tensor1D,
): TwinErrors {
  const first = qValue(critics[0], observations, actions);
  const second = qValue(critics[1], observations, actions);
  return { first, second, sum: tf.add(meanSquare(first, wanted), meanSquare(second, wanted)) };
}

export interface CriticFigures {
  readonly loss: tf.Scalar;
  /** The estimate that stands for both. */
  readonly data: tf.Tensor1D;
  readonly first: tf.Tensor1D;
  readonly wanted: tf.Tensor1D;
}

/** The figures by which a value function is watched. */
export function noteCritics(figures: Sheet, { loss, data, first, wanted }: CriticFigures): void {
  figures.note("Loss/critic", loss);
  figures.note("Value/q_data", tf.mean(data));
  figures.note("Value/q_abs_mean", tf.mean(tf.abs(first)));
  figures.note("Value/target_mean", tf.mean(wanted));
}
