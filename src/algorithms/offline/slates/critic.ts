import * as tf from "@tensorflow/tfjs-core";
import type { NamedArrays } from "../../../../policies/named-array.ts";
import { createMlp } from "../../../../policies/networks/mlp.ts";
import type { Network } from "../../../../policies/networks/network.ts";
import type { Critic } from "../../../../policies/rankers/ranked-policy.ts";
import { layerNorm, qValue, repeatedStates } from "../../../learning/offline/critic.ts";
import { rangeOf } from "../../../learning/offline/site.ts";

/** A critic of states and actions in ±1 as one of latents. */
export function criticOf(
  network: Network,
  bounds: { readonly low: readonly number[]; readonly high: readonly number[] },
): Critic {
  const { center, half } = rangeOf(bounds);
  const width = center.length;
  const stateWidth = network.inputWidth - width;
  return (state) => async (latents, each) => {
    const values = tf.tidy(() => {
      const rows = latents.length / width;
      const units = latents.map((x, i) => (x - center[i % width]!) / half[i % width]!);
      const states = tf.tensor2d(state.slice(), [rows / each, stateWidth]);
      return qValue(network, repeatedStates(states, each), tf.tensor2d(units, [rows, width]));
    });
    const data = Float32Array.from(await values.data());
    values.dispose();
    return data;
  };
}

/**
 * The first critic of a learner, from its arrays: layers are found by their names and shapes, a layer norm by a
 * weight of one axis. Undefined where there is none.
 *
 * @param arrays by parameter name, of the group `critic`
 */
export function restoredCritic(arrays: NamedArrays): Network | undefined {
  const [firstName] = Object.keys(arrays);
  if (firstName === undefined) return undefined;
  const prefix = firstName.replace(/\.\d+\.(weight|bias)$/, "");
  const own = Object.entries(arrays).filter(([name]) => name.startsWith(`${prefix}.`));
  const weights = own.filter(([name]) => name.endsWith(".weight"));
  const layers = weights.filter(([, { shape }]) => shape.length === 2);
  const normed = weights.length > layers.length;
  const widths = layers.map(([, { shape }]) => shape[0]!);
  return createMlp({
    ...{ inputWidth: layers[0]![1].shape[1]!, outputWidth: 1, hidden: widths.slice(0, -1) },
    ...{ activation: "relu", prefix, weights: arrays },
    stride: strideOf(layers.map(([name]) => name)),
    layerNorm: normed ? layerNorm : undefined,
  });
}

/** From one Linear layer's number to the next's. */
function strideOf(names: readonly string[]): number {
  const [first, second] = names.map((name) => Number(/\.(\d+)\.weight$/.exec(name)?.[1]));
  return second === undefined ? 2 : second - first!;
}
