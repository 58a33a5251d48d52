import { floats } from "../../policies/checkpoint/state-dict.ts";
import {
  isDict,
  isTensor,
  OrderedDict,
  type TorchValue,
} from "../../policies/checkpoint/torch-value.ts";
import type { NamedArray, NamedArrays } from "../../policies/named-array.ts";
import { damaged } from "./saved-facts.ts";

/** Arrays as torch keeps them, in their order. */
export function dictOf(arrays: NamedArrays): OrderedDict {
  return new OrderedDict(
    Object.entries(arrays).map(([name, { shape, data }]) => [name, floats(shape, data)]),
  );
}

/** The inverse. @throws RunError where that is no dict of float32 arrays */
export function arraysIn(value: TorchValue | undefined, path: string): Record<string, NamedArray> {
  if (!isDict(value)) throw damaged(path, "it holds no arrays");
  const arrays: Record<string, NamedArray> = {};
  for (const [name, tensor] of value) {
    if (!isTensor(tensor) || tensor.dtype !== "float32") {
      throw damaged(path, `${String(name)} is no array of float32`);
    }
    arrays[String(name)] = { shape: tensor.shape, data: tensor.data as Float32Array };
  }
  return arrays;
}
