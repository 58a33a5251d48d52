import * as tf from "@tensorflow/tfjs-core";
import { LearningError } from "../../learning/learning-error.ts";

export type LossType = "mse" | "huber" | "nll" | "kl";

/** Mean over all elements of the distance between two arrays of one shape; a scalar. */
export type Loss = (actions: tf.Tensor, targets: tf.Tensor) => tf.Scalar;

/** Standard deviations per action component, for losses of distributions. */
export interface Deviations {
  /** The teacher's, as its checkpoint holds it; absent where it has none. */
  readonly teacher?: Float32Array | undefined;
  /** Of the student's exploration noise. */
  readonly student: number;
}

/** @throws LearningError when the loss needs a deviation that nobody knows. */
export function createLoss(type: LossType, deviations: Deviations): Loss {
  switch (type) {
    case "mse":
      return (actions, targets) => mean(tf.square(tf.sub(actions, targets)));
    case "huber":
      return huber;
    case "nll":
      return negativeLogLikelihood(teacherDeviation(type, deviations));
    case "kl":
      return divergence(teacherDeviation(type, deviations), deviations.student);
  }
}

/** With delta 1: x²/2 up to |x| = 1, |x| − 1/2 beyond; q = min(|x|, 1) gives q²/2 + |x| − q. */
function huber(actions: tf.Tensor, targets: tf.Tensor): tf.Scalar {
  const distance = tf.abs(tf.sub(actions, targets));
  const near = tf.minimum(distance, 1);
  return mean(tf.add(tf.mul(tf.square(near), 0.5), tf.sub(distance, near)));
}

/** −log N(student's mean; teacher's mean, teacher's σ): where the teacher is sure of itself, errors cost more. */
function negativeLogLikelihood(sigma: Float32Array): Loss {
  const constant = average(sigma, (s) => Math.log(s) + 0.5 * Math.log(2 * Math.PI));
  return (actions, targets) => {
    const z = tf.div(tf.sub(actions, targets), tf.tensor1d(sigma.slice()));
    return tf.add(mean(tf.mul(tf.square(z), 0.5)), constant);
  };
}

/** KL(N(teacher) ‖ N(student)) per component: log(σs/σt) + (σt² + (μt − μs)²) / 2σs² − 1/2. */
function divergence(sigma: Float32Array, own: number): Loss {
  if (own <= 0) {
    throw new LearningError(
      "no-student-std",
      `The loss 'kl' compares distributions, and the student's has a standard deviation of ${own}.`,
      "Set policy.init_noise_std above 0, or algorithm.loss_type to mse, huber or nll.",
    );
  }
  const constant = average(sigma, (s) => Math.log(own / s) + s ** 2 / (2 * own ** 2) - 0.5);
  return (actions, targets) =>
    tf.add(mean(tf.mul(tf.square(tf.sub(actions, targets)), 1 / (2 * own ** 2))), constant);
}

function teacherDeviation(type: LossType, { teacher }: Deviations): Float32Array {
  if (teacher?.every((value) => value > 0)) return teacher;
  throw new LearningError(
    "no-teacher-std",
    `The loss '${type}' needs the teacher's standard deviation; this teacher has ${teacher ? `[${teacher}]` : "none"}.`,
    "Set algorithm.loss_type to mse or huber, or take a teacher whose checkpoint holds its noise.",
  );
}

function mean(values: tf.Tensor): tf.Scalar {
  return tf.mean(values) as tf.Scalar;
}

function average(values: Float32Array, of: (value: number) => number): number {
  return values.reduce((sum, value) => sum + of(value), 0) / values.length;
}
