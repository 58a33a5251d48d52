import * as tf from "@tensorflow/tfjs-core";
import type { Network } from "./network.ts";

/** Where the outputs of a bounded network lie, per component: centre ± half. */
export interface OutputRange {
  readonly center: readonly number[];
  readonly half: readonly number[];
}

/**
 * The same network, its outputs squashed: centre + half · tanh(x). For one that puts out more than the
 * range is wide, such as mean and noise, the first columns alone.
 */
export function bounded(network: Network, range: OutputRange): Network {
  const { sequence: _, ...whole } = network;
  const outputWidth = range.half.length;
  return {
    ...whole,
    outputWidth,
    forward: (inputs, memory) => {
      const flown = network.forward(inputs, memory);
      const first =
        outputWidth === network.outputWidth
          ? flown.outputs
          : tf.slice2d(flown.outputs, [0, 0], [-1, outputWidth]);
      return { outputs: squash(first, range), memory: flown.memory };
    },
  };
}

function squash(x: tf.Tensor2D, { center, half }: OutputRange): tf.Tensor2D {
  const [unit, zero] = [half.every((h) => h === 1), center.every((c) => c === 0)];
  const flat = tf.tanh(x);
  const scaled = unit ? flat : tf.mul<tf.Tensor2D>(flat, tf.tensor1d([...half]));
  return zero ? scaled : tf.add<tf.Tensor2D>(scaled, tf.tensor1d([...center]));
}
