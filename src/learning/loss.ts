import * as tf from "@tensorflow/tfjs-core";

export type LossType = "mse" | "huber";

/** Mean over all elements of the distance between two arrays of one shape; a scalar. */
export type Loss = (actions: tf.Tensor, targets: tf.Tensor) => tf.Scalar;

export const losses: Readonly<Record<LossType, Loss>> = {
  mse: (actions, targets) => tf.mean(tf.square(tf.sub(actions, targets))) as tf.Scalar,
  huber: (actions, targets) => {
    // With delta 1: x²/2 up to |x| = 1, |x| − 1/2 beyond; q = min(|x|, 1) gives q²/2 + |x| − q.
    const distance = tf.abs(tf.sub(actions, targets));
    const near = tf.minimum(distance, 1);
    return tf.mean(tf.add(tf.mul(tf.square(near), 0.5), tf.sub(distance, near))) as tf.Scalar;
  },
};
