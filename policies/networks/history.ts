import * as tf from "@tensorflow/tfjs-core";
import type { Network, SequenceParts } from "./network.ts";
import { surviving } from "./recurrent-cells.ts";

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
  const slide = (memory: tf.Tensor2D, inputs: tf.Tensor2D) => {
    const stacked = tf.concat2d([memory, inputs], 1);
    return { stacked, memory: tf.slice2d(stacked, [0, inputWidth], [-1, kept]) };
  };
  const sequence: SequenceParts = {
    walk: ({ inputs, alive, memory: [start] }) => {
      let memory = start!;
      const rows = tf.split<tf.Tensor2D>(inputs, alive.length).map((seen, t) => {
        const slid = slide(memory, seen);
        memory = surviving(slid.memory, alive[t]!);
        return slid.stacked;
      });
      return { features: tf.concat2d(rows, 0), memory: [memory] };
    },
    head: (stacked) => network.forward(stacked, []).outputs,
  };
  return {
    ...network,
    inputWidth,
    memoryWidths: [kept],
    sequence,
    forward: (inputs, memory) => {
      const slid = slide(memory[0]!, inputs);
      return { outputs: sequence.head(slid.stacked), memory: [slid.memory] };
    },
  };
}
