import * as tf from "@tensorflow/tfjs-core";
import type { Network } from "./network.ts";

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
  return {
    ...network,
    inputWidth,
    memoryWidths: [kept],
    forward: (inputs, memory) => {
      const stacked = tf.concat2d([memory[0]!, inputs], 1);
      const { outputs } = network.forward(stacked, []);
      const next = tf.slice2d(stacked, [0, inputWidth], [-1, kept]);
      return { outputs, memory: [next] };
    },
  };
}
