import * as tf from "@tensorflow/tfjs-core";
import type { Network } from "../../../policies/networks/network.ts";

/** An actor that draws: tanh of a Gaussian, its deviation a function of the state. */
export interface TanhGaussian {
  /** Mean and raw log-deviation side by side, `[rows, 2 · actionWidth]`. */
  readonly network: Network;
  /** log σ = clip(multiplier · raw + offset, −20, 2); both `[1]` and trained, or constants. */
  readonly multiplier: tf.Variable | number;
  readonly offset: tf.Variable | number;
  /** Actions are tanh times this. */
  readonly maxAction: number;
}

/** Drawn actions `[…, actionWidth]` and their log-likelihoods `[…]`. */
export interface Sample {
  readonly actions: tf.Tensor;
  readonly logProb: tf.Tensor;
}

/**
 * a = tanh(x), x = μ(s) + σ(s) ε, with log π(a) = Σ log N(x) − 2 (log 2 − x − softplus(−2x)):
 * differentiable through the draw.
 *
 * @param noise standard normal, `[rows, actionWidth]`, or `[rows, n, actionWidth]` for n actions a state
 */
export function sample(
  { network, multiplier, offset, maxAction }: TanhGaussian,
  states: tf.Tensor2D,
  noise: tf.Tensor,
): Sample {
  const outputs = network.forward(states, []).outputs;
  const [mean, raw] = tf.split(outputs, 2, 1).map((half) => {
    return noise.rank === 2 ? half : tf.expandDims(half, 1);
  }) as [tf.Tensor, tf.Tensor];
  const logSigma = tf.clipByValue(tf.add(tf.mul(raw, multiplier), offset), -20, 2);
  const x = tf.add(mean, tf.mul(tf.exp(logSigma), noise));
  // (x − μ) / σ is the draw itself, but it is through x that μ and σ are held to account.
  const z = tf.div(tf.sub(x, mean), tf.exp(logSigma));
  const gaussian = tf.sub(
    tf.mul(tf.square(z), -0.5),
    tf.add(logSigma, 0.5 * Math.log(2 * Math.PI)),
  );
  const bend = tf.mul(tf.sub(tf.sub(Math.LN2, x), tf.softplus(tf.mul(x, -2))), 2);
  const logProb = tf.sum(tf.sub(gaussian, bend), -1);
  const flat = tf.tanh(x);
  return { actions: maxAction === 1 ? flat : tf.mul(flat, maxAction), logProb };
}
