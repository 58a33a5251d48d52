import {
  isDict,
  isTensor,
  OrderedDict,
  type TorchDict,
  type TorchValue,
} from "../../../policies/checkpoint/torch-value.ts";
import type { NamedArray, NamedArrays } from "../../../policies/named-array.ts";
import { arraysUnder, pastPrefix } from "../../learning/parameters.ts";
import { actingPrefix } from "../../learning/pipeline/pipelined-learner.ts";
import { damaged } from "../saved-facts.ts";
import { mostSavedBytes } from "./dagger-buffer.ts";

/** What a checkpoint keeps of the rollouts that are learned from again; undefined where that is nothing. */
export function pastEntry(arrays: NamedArrays): TorchValue | undefined {
  const past = Object.values(arraysUnder(pastPrefix, arrays));
  const bytes = past.reduce((sum, { data }) => sum + data.byteLength, 0);
  return bytes > mostSavedBytes ? undefined : entryOf(pastPrefix, arrays);
}

/** The inverse. @throws RunError `bad-checkpoint` */
export function bufferIn(own: TorchDict, where: string): NamedArrays {
  return arraysIn(own.get("buffer"), pastPrefix, { where, what: "buffer" });
}

/** The student that acts, where it is older than the one that learns. */
export function actingEntry(arrays: NamedArrays): TorchValue | undefined {
  return entryOf(actingPrefix, arrays);
}

/** The inverse. @throws RunError `bad-checkpoint` */
export function actingIn(own: TorchDict, where: string): NamedArrays {
  return arraysIn(own.get("acting"), actingPrefix, { where, what: "acting student" });
}

function entryOf(prefix: string, arrays: NamedArrays): TorchValue | undefined {
  const found = Object.entries(arraysUnder(prefix, arrays));
  if (found.length === 0) return undefined;
  const tensor = ({ shape, data }: NamedArray) => ({ shape, data, dtype: "float32" }) as const;
  return new OrderedDict(found.map(([name, array]) => [name, tensor(array)]));
}

function arraysIn(
  saved: TorchValue | undefined,
  prefix: string,
  { where, what }: { readonly where: string; readonly what: string },
): NamedArrays {
  if (saved === undefined) return {};
  if (!isDict(saved)) throw damaged(where, `its ${what} holds no arrays`);
  const arrays: Record<string, NamedArray> = {};
  for (const [name, tensor] of saved) {
    if (!isTensor(tensor) || tensor.dtype !== "float32") {
      throw damaged(where, `its ${what}'s ${String(name)} is no array of float32`);
    }
    const data = Float32Array.from(tensor.data as Float32Array);
    arrays[prefix + String(name)] = { shape: tensor.shape, data };
  }
  return arrays;
}
