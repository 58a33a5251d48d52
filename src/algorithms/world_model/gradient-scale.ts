import * as tf from "@tensorflow/tfjs-core";

/** The same value; what flows back through it is multiplied (Schrittwieser 2020, appendix G). */
export function scaledGradient(x: tf.Tensor2D, scale: number): tf.Tensor2D {
  if (scale === 1) return x;
  const scaled = tf.customGrad((value) => ({
    value: tf.clone(value as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => tf.mul(dy, scale),
  }));
  return scaled(x) as tf.Tensor2D;
}
