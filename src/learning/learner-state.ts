import * as tf from "@tensorflow/tfjs-core";
import { type NamedArray, type NamedArrays, sameShape } from "../../policies/named-array.ts";
import { LearningError } from "./learning-error.ts";
import type { ParameterGroup } from "./owners.ts";

/** Copies, as `parameters/GROUP/NAME`. */
export async function saveGroups(groups: readonly ParameterGroup[]): Promise<NamedArrays> {
  const out: Record<string, NamedArray> = {};
  for (const { name: group, parameters } of groups) {
    for (const { name, value } of parameters) {
      const data = (await value.data<"float32">()).slice();
      out[`parameters/${group}/${name}`] = { shape: value.shape, data };
    }
  }
  return out;
}

/** @throws LearningError `student-mismatch` before anything is changed */
export function loadGroups(groups: readonly ParameterGroup[], arrays: NamedArrays): void {
  const found = groups.flatMap(({ name: group, parameters }) =>
    parameters.map(({ name, value }) => {
      const array = arrays[`parameters/${group}/${name}`];
      if (array && sameShape(array.shape, value.shape)) return { value, array };
      throw new LearningError(
        "student-mismatch",
        `The checkpoint's '${name}' is [${array?.shape ?? "missing"}]; this run's is [${value.shape}].`,
        "Use the network sizes and observation groups the checkpoint was made with.",
      );
    }),
  );
  for (const { value, array } of found) {
    tf.tidy(() => value.assign(tf.tensor(array.data.slice(), [...value.shape])));
  }
}

/** Those whose names begin so, without that beginning. */
export function arraysUnder(prefix: string, arrays: NamedArrays): NamedArrays {
  const found = Object.entries(arrays).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(found.map(([name, array]) => [name.slice(prefix.length), array]));
}
