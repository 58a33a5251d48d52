import * as tf from "@tensorflow/tfjs-core";
import type { ParameterGroup } from "../../src/learning/owners.ts";

/** A group of one parameter vector. */
export function group(name: string, owner: string, values: readonly number[]): ParameterGroup {
  const value = tf.variable(tf.tensor1d([...values]));
  return { name, owner, parameters: [{ name: `${name}.weight`, value }] };
}

export function vectorOf({ parameters }: ParameterGroup): tf.Tensor1D {
  return parameters[0]!.value as unknown as tf.Tensor1D;
}

export async function valuesOf(...groups: readonly ParameterGroup[]): Promise<number[]> {
  const variables = groups.flatMap(({ parameters }) => parameters.map(({ value }) => value));
  return (await Promise.all(variables.map((value) => value.data()))).flatMap((data) => [...data]);
}
