import * as tf from "@tensorflow/tfjs-core";
import type { Network, Parameter } from "./network.ts";

/** Observations by group, `[rows, …shape]` each, normalised. */
export type Observed = Readonly<Record<string, tf.Tensor>>;

/** Turns observations into features, before everything else that learns from them or acts on them. */
export interface Encoder {
  readonly featureWidth: number;
  /** Constant list, constant order. */
  readonly parameters: readonly Parameter[];
  /** `[rows, featureWidth]`. Differentiable; call inside `tidy`. */
  encode(observed: Observed): tf.Tensor2D;
}

/** A group and the shape of one row of it: `[12]`, or `[32, 32, 1]` of a picture. */
export interface GroupShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The encoder as a network of its groups side by side, `[rows, sum of their elements]`, in their order. */
export function encoderNetwork(encoder: Encoder, groups: readonly GroupShape[]): Network {
  const widths = groups.map(({ shape }) => shape.reduce((product, size) => product * size, 1));
  return {
    inputWidth: widths.reduce((sum, width) => sum + width, 0),
    outputWidth: encoder.featureWidth,
    parameters: encoder.parameters,
    memoryWidths: [],
    forward: (inputs) => {
      const columns = widths.length === 1 ? [inputs] : tf.split<tf.Tensor>(inputs, widths, 1);
      const observed = groups.map(({ name, shape }, i) => {
        return [name, tf.reshape(columns[i]!, [inputs.shape[0], ...shape])] as const;
      });
      return { outputs: encoder.encode(Object.fromEntries(observed)), memory: [] };
    },
    dispose: () => tf.dispose(encoder.parameters.map(({ value }) => value)),
  };
}
