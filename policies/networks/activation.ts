import * as tf from "@tensorflow/tfjs-core";
import { nearest } from "../../protocol/nearest.ts";
import { PolicyError } from "../policy-error.ts";
import { relu } from "./relu.ts";

/** rsl_rl's names; `crelu` is CELU, `swish` is SiLU. */
export type ActivationName =
  | "elu"
  | "selu"
  | "relu"
  | "crelu"
  | "lrelu"
  | "tanh"
  | "sigmoid"
  | "softplus"
  | "gelu"
  | "swish"
  | "mish"
  | "identity";

/** A function of every component by itself, differentiable, with PyTorch's default constants. */
export interface Activation {
  readonly name: ActivationName;
  /** The name under which TensorFlow fuses it with a matrix product; absent where it does not. */
  readonly fused?: "linear" | "elu" | "relu" | "sigmoid";
  apply(x: tf.Tensor2D): tf.Tensor2D;
}

const ACTIVATIONS: Readonly<Record<ActivationName, Omit<Activation, "name">>> = {
  elu: { fused: "elu", apply: (x) => tf.elu(x) },
  selu: { apply: (x) => tf.selu(x) },
  relu: { fused: "relu", apply: (x) => relu(x) },
  // CELU with alpha 1 is ELU.
  crelu: { fused: "elu", apply: (x) => tf.elu(x) },
  lrelu: { apply: (x) => tf.leakyRelu(x, 0.01) },
  tanh: { apply: (x) => tf.tanh(x) },
  sigmoid: { fused: "sigmoid", apply: (x) => tf.sigmoid(x) },
  softplus: { apply: (x) => tf.softplus(x) },
  gelu: { apply: gelu },
  swish: { apply: (x) => tf.mul(x, tf.sigmoid(x)) },
  mish: { apply: (x) => tf.mul(x, tf.tanh(tf.softplus(x))) },
  identity: { fused: "linear", apply: (x) => x },
};

export const activationNames = Object.keys(ACTIVATIONS) as readonly ActivationName[];

/** @throws PolicyError `unknown-activation`, naming the nearest one */
export function activationNamed(name: string): Activation {
  const known = activationNames.find((candidate) => candidate === name.toLowerCase());
  if (known !== undefined) return { name: known, ...ACTIVATIONS[known] };
  throw new PolicyError(
    "unknown-activation",
    `unknown activation ${JSON.stringify(name)}; known are ${activationNames.join(", ")}`,
    `Did you mean ${nearest(name, activationNames, { within: Infinity })}?`,
  );
}

/** x Φ(x) with the exact normal distribution function, not its tanh approximation. */
function gelu(x: tf.Tensor2D): tf.Tensor2D {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
}
