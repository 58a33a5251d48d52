import * as tf from "@tensorflow/tfjs-core";
import type { WorldModelSettings } from "./settings.ts";

/** Widest number of standard deviations that a distribution over bins reaches to. */
const reach = 8;

/** How a number is put out: as it is, or as a distribution whose mean it is. All in deviations from the mean. */
export interface NumberHead {
  /** Outputs of each number. */
  readonly width: number;
  /** `[rows, numbers · width]` → `[rows, numbers]`. */
  read(outputs: tf.Tensor2D): tf.Tensor2D;
  /** Of each row and number, `[rows, numbers]`, 0 where they agree as well as they can. */
  errors(outputs: tf.Tensor2D, wanted: tf.Tensor2D): tf.Tensor2D;
}

export function numberHead({
  heads,
  head_bins: bins,
}: Pick<WorldModelSettings, "heads" | "head_bins">): NumberHead {
  return heads === "scalar" ? scalar : categorical(bins);
}

const scalar: NumberHead = {
  width: 1,
  read: (outputs) => outputs,
  errors: (outputs, wanted) => tf.square(tf.sub<tf.Tensor2D>(outputs, wanted)),
};

/** Cross-entropy with the two bins that a number lies between (two-hot: Imani and White 2018, DreamerV3). */
function categorical(bins: number): NumberHead {
  const step = (2 * reach) / (bins - 1);
  const centers = () =>
    tf.tensor1d(Float32Array.from({ length: bins }, (_, i) => i * step - reach));
  const cut = (outputs: tf.Tensor2D) => tf.reshape(outputs, [outputs.shape[0], -1, bins]);
  return {
    width: bins,
    read: (outputs) => {
      // TensorFlow's own softmax comes to other bits in a graph.
      const shares = tf.exp(tf.logSoftmax(cut(outputs) as tf.Tensor3D, -1));
      return tf.sum(tf.mul(shares, centers()), -1) as tf.Tensor2D;
    },
    errors: (outputs, wanted) => {
      const held = tf.clipByValue(wanted, -reach, reach);
      const apart = tf.abs(tf.sub(tf.expandDims(held, -1), centers()));
      // A bin's share falls off to nothing at its neighbours.
      const shares = tf.relu(tf.sub(1, tf.mul(apart, 1 / step)));
      const logs = tf.logSoftmax(cut(outputs), -1);
      return tf.neg(tf.sum(tf.mul(shares, logs), -1)) as tf.Tensor2D;
    },
  };
}
