import * as tf from "@tensorflow/tfjs-core";
import {
  type NamedArray,
  type NamedArrays,
  sameShape,
  shapeText,
} from "../../policies/named-array.ts";
import { LearningError } from "./learning-error.ts";
import type { ParameterGroup } from "./owners.ts";

/** `parameters/GROUP/NAME` of all groups. */
export async function readParameters(
  groups: readonly ParameterGroup[],
): Promise<Record<string, NamedArray>> {
  const out: Record<string, NamedArray> = {};
  for (const { name: group, parameters } of groups) {
    for (const { name, value } of parameters) {
      const data = (await value.data<"float32">()).slice();
      out[`parameters/${group}/${name}`] = { shape: value.shape, data };
    }
  }
  return out;
}

/** The inverse. @throws LearningError `parameter-mismatch` */
export function loadParameters(groups: readonly ParameterGroup[], arrays: NamedArrays): void {
  for (const { name: group, parameters } of groups) {
    for (const { name, value } of parameters) {
      const array = arrays[`parameters/${group}/${name}`];
      if (!array || !sameShape(array.shape, value.shape))
        throw mismatch(group, name, { array, value });
      tf.tidy(() => value.assign(tf.tensor(array.data.slice(), value.shape)));
    }
  }
}

function mismatch(
  group: string,
  name: string,
  { array, value }: { array: NamedArray | undefined; value: tf.Variable },
): LearningError {
  const found = array ? shapeText(array.shape) : "missing";
  return new LearningError(
    "parameter-mismatch",
    `The checkpoint's '${name}' of the ${group} is ${found}; this run's is ${shapeText(value.shape)}.`,
    "Use the network sizes and observation groups the checkpoint was made with.",
  );
}

/** Names of what is kept of the past, to be learned from again, begin so. */
export const pastPrefix = "buffers/";

/** Those whose names don't begin so. */
export function without<T>(
  prefix: string,
  named: Readonly<Record<string, T>>,
): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(named).filter(([name]) => !name.startsWith(prefix)));
}

/** Those whose names begin so, without that beginning. */
export function arraysUnder(prefix: string, arrays: NamedArrays): NamedArrays {
  const found = Object.entries(arrays).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(found.map(([name, array]) => [name.slice(prefix.length), array]));
}
