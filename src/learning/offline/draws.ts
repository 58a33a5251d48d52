import * as tf from "@tensorflow/tfjs-core";
import { elementsOf } from "../../../policies/named-array.ts";
import type { Random } from "../../../policies/random.ts";
import type { Given } from "./deterministic-actor.ts";

/** Where the random numbers of an update come from: drawn here, or recorded elsewhere. */
export interface Draws {
  /** Standard normal; the caller disposes. */
  normal(shape: readonly number[]): tf.Tensor;
  /** Uniform in [−1, 1]; the caller disposes. */
  uniform(shape: readonly number[]): tf.Tensor;
}

/** A recorded update's weights and random numbers. */
export interface GivenDraws extends Given {
  readonly draws: Draws;
}

export function seededDraws(random: Random): Draws {
  const make = (shape: readonly number[], draw: () => number) =>
    tf.tensor(Float32Array.from({ length: elementsOf(shape) }, draw), [...shape], "float32");
  return {
    normal: (shape) => make(shape, random.normal),
    uniform: (shape) => make(shape, () => 2 * random.uniform() - 1),
  };
}
