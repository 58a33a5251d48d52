import * as tf from "@tensorflow/tfjs-core";
import { leastQValue, type Twins } from "./critic.ts";
import type { Sheet } from "./figures.ts";
import { sample, type TanhGaussian } from "./tanh-gaussian.ts";
import type { Transitions } from "./transitions.ts";

export interface SoftActor {
  readonly actor: TanhGaussian;
  readonly critics: Twins;
}

export interface SoftActorGiven {
  /** Standard normal, `[rows, actionWidth]`. */
  readonly noise: tf.Tensor;
  /** α, what entropy weighs: a constant here. */
  readonly alpha: tf.Tensor;
  readonly figures: Sheet;
}

/** mean(α log π(p | s) − min(Q₁, Q₂)(s, p)), p drawn (SAC: Haarnoja and others, 2018). */
export function softActorLoss(
  { actor, critics }: SoftActor,
  { observations }: Transitions,
  { noise, alpha, figures }: SoftActorGiven,
): tf.Scalar {
  const { actions, logProb } = sample(actor, observations, noise);
  const values = leastQValue(critics, observations, actions as tf.Tensor2D);
  const loss = tf.mean(tf.sub(tf.mul(alpha, logProb), values)) as tf.Scalar;
  figures.note("Loss/actor", loss);
  figures.note("Policy/log_prob", tf.mean(logProb));
  figures.note("Policy/alpha", alpha);
  figures.note("Value/q_mean", tf.mean(values));
  return loss;
}
