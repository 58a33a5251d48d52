import * as tf from "@tensorflow/tfjs-core";

/** Scale and shift behind a normalisation, `[width]` each. */
export interface LayerNorm {
  readonly weight: tf.Variable;
  readonly bias: tf.Variable;
  /** Added to the variance. */
  readonly epsilon: number;
}

/**
 * Each row to mean 0 and (biased) variance 1, then scaled and shifted per component (Ba, Kiros and
 * Hinton, 2016). `[batch, width]` in and out; differentiable; call inside `tidy`.
 */
export function layerNorm(x: tf.Tensor2D, { weight, bias, epsilon }: LayerNorm): tf.Tensor2D {
  const centred = tf.sub(x, tf.mean(x, 1, true));
  const variance = tf.mean(tf.square(centred), 1, true);
  const normal = tf.div(centred, tf.sqrt(tf.add(variance, epsilon)));
  return tf.add(tf.mul(normal, weight), bias) as tf.Tensor2D;
}
