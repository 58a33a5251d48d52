import * as tf from "@tensorflow/tfjs-core";
import type { Network } from "./network.ts";

/** The same network, its inputs cut to ±`most` first. */
export function clamped(network: Network, most: number): Network {
  const { sequence: _, ...whole } = network;
  return {
    ...whole,
    forward: (inputs, memory) =>
      network.forward(tf.clipByValue<tf.Tensor2D>(inputs, -most, most), memory),
  };
}
