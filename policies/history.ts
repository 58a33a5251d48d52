import * as tf from "@tensorflow/tfjs-core";
import type { Network, SequenceParts } from "./network.ts";

/**
 * The feed-forward alternative to a memory: the network sees the last `length` observations side by side,
 * oldest first. What it remembers are the `length − 1` observations before this one; zeros before the
 * first of an episode.
 *
 * @param network reads `length` times the width of one observation
 */
export function withHistory(network: Network, length: number): Network {
  if (length === 1) return network;
  const inputWidth = network.inputWidth / length;
  const kept = (length - 1) * inputWidth;
  const sequence: SequenceParts = {
    prepare: (inputs) => inputs,
    step: (inputs, memory) => {
      const stacked = tf.concat2d([memory[0]!, inputs], 1);
      return { features: stacked, memory: [tf.slice2d(stacked, [0, inputWidth], [-1, kept])] };
    },
    head: (stacked) => network.forward(stacked, []).outputs,
  };
  return {
    ...network,
    inputWidth,
    memoryWidths: [kept],
    sequence,
    forward: (inputs, memory) => {
      const { features, memory: next } = sequence.step(inputs, memory);
      return { outputs: sequence.head(features), memory: next };
    },
  };
}
