import * as tf from "@tensorflow/tfjs-core";

/**
 * A value that no gradient flows through: what `compute` does leaves no trace on the tape, so that
 * there is no path from the result to what it was made of (a path of zeros would hide a leak from
 * the gradient-flow report).
 */
export function detached<T extends tf.Tensor>(compute: () => T): T {
  const cut = tf.customGrad(() => ({ value: tf.clone(compute()), gradFunc: () => [] }));
  return cut() as T;
}

/**
 * The value of `loss` and its gradient by each variable; undefined where no path leads from the one
 * to the other. Call inside `tidy`.
 */
export function gradientsOf(
  loss: () => tf.Scalar,
  variables: readonly tf.Variable[],
): { readonly value: tf.Scalar; readonly gradients: readonly (tf.Tensor | undefined)[] } {
  const { value, grads } = tf.engine().gradients(loss, [...variables], undefined, true);
  return { value: value as tf.Scalar, gradients: grads };
}
