import * as tf from "@tensorflow/tfjs-core";

/** The logarithm of a deviation that is the same in every state, `[actions]`. */
export function createLogStd(initial: Float32Array): tf.Variable {
  return tf.tidy(() => tf.variable(tf.tensor1d(initial.slice())));
}

/** As they are now, `[actions]`. */
export function deviationsOf(logStd: tf.Variable): Float32Array {
  return tf.tidy(() => tf.exp(tf.clipByValue(logStd, -20, 2)).dataSync() as Float32Array).slice();
}

/**
 * Per component: (a − μ)² / 2σ² + log σ + log √2π, log σ within −20 and 2.
 *
 * @param distances (a − μ)², `[rows, actions]`
 */
export function negativeLogLikelihood(distances: tf.Tensor, logStd: tf.Variable): tf.Tensor {
  const logSigma = tf.clipByValue(logStd, -20, 2);
  const precision = tf.exp(tf.mul(logSigma, -2));
  const exponent = tf.mul(tf.mul(distances, 0.5), precision);
  return tf.add(exponent, tf.add(logSigma, 0.5 * Math.log(2 * Math.PI)));
}
