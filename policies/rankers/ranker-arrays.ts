import * as tf from "@tensorflow/tfjs-core";
import { elementsOf, type NamedArray, type NamedArrays, shapeText } from "../named-array.ts";
import type { Parameter } from "../networks/network.ts";
import { PolicyError } from "../policy-error.ts";

/** Of actions, per component of the latent. */
export interface LatentBounds {
  readonly low: Float32Array;
  readonly high: Float32Array;
}

/** The array of that name and shape. @throws PolicyError `missing-weight`, `weight-shape` */
export function arrayOf(arrays: NamedArrays, name: string, shape: readonly number[]): Float32Array {
  const found = Object.hasOwn(arrays, name) ? arrays[name] : undefined;
  const hint = "Take a checkpoint that `firstsolo train_ranker` wrote.";
  if (found === undefined) {
    const there = Object.keys(arrays).join(", ") || "none";
    throw new PolicyError("missing-weight", `a ranker's ${name} is missing among ${there}`, hint);
  }
  if (shapeText(found.shape) === shapeText(shape) && found.data.length === elementsOf(shape)) {
    return found.data.slice();
  }
  const message = `a ranker's ${name} is ${shapeText(found.shape)}, expected ${shapeText(shape)}`;
  throw new PolicyError("weight-shape", message, hint);
}

/** Before any were measured: ±1. */
export function unitBounds(width: number): LatentBounds {
  return { low: new Float32Array(width).fill(-1), high: new Float32Array(width).fill(1) };
}

export function boundsIn(arrays: NamedArrays, width: number): LatentBounds {
  return { low: arrayOf(arrays, "low", [width]), high: arrayOf(arrays, "high", [width]) };
}

export function boundsEntries({ low, high }: LatentBounds): Record<"low" | "high", NamedArray> {
  const row = (data: Float32Array): NamedArray => ({ shape: [data.length], data: data.slice() });
  return { low: row(low), high: row(high) };
}

/** Gives parameters their values by name. @throws PolicyError `missing-weight`, `weight-shape` */
export function loadInto(parameters: readonly Parameter[], arrays: NamedArrays): void {
  for (const { name, value } of parameters) {
    const data = arrayOf(arrays, name, value.shape);
    tf.tidy(() => value.assign(tf.tensor(data, value.shape)));
  }
}

export async function entriesOf(parameters: readonly Parameter[]): Promise<NamedArrays> {
  const entries = parameters.map(async ({ name, value }): Promise<[string, NamedArray]> => {
    const data = (await value.data<"float32">()).slice();
    return [name, { shape: value.shape, data }];
  });
  return Object.fromEntries(await Promise.all(entries));
}
