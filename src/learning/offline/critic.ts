import * as tf from "@tensorflow/tfjs-core";
import type { NamedArrays } from "../../../policies/named-array.ts";
import { createMlp, type LayerInit } from "../../../policies/networks/mlp.ts";
import type { Network } from "../../../policies/networks/network.ts";

export interface CriticOptions {
  readonly observationWidth: number;
  readonly actionWidth: number;
  readonly hidden: readonly number[];
  readonly layerNorm?: { readonly epsilon: number } | undefined;
  readonly random: () => number;
  readonly init?: LayerInit | undefined;
  readonly weights?: NamedArrays | undefined;
}

/** Q(s, a): one number from a state and an action side by side. ReLU between its layers. */
export function createCritic(prefix: string, options: CriticOptions): Network {
  const { observationWidth, actionWidth, hidden, layerNorm, random, init, weights } = options;
  return createMlp({
    inputWidth: observationWidth + actionWidth,
    outputWidth: 1,
    ...{ hidden, activation: "relu", layerNorm, random, init, prefix },
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
