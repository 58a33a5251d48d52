import {
  isDict,
  isTensor,
  OrderedDict,
  type TorchDict,
  type TorchValue,
} from "../../../policies/checkpoint/torch-value.ts";
import type { NamedArray, NamedArrays } from "../../../policies/named-array.ts";
import { damaged } from "../saved-facts.ts";

/** Names of what a learner keeps of the past begin so. */
const prefix = "buffers/";

/** Bytes of it that a checkpoint holds; a larger buffer is collected anew by a run that goes on. */
const mostBytes = 256 << 20;

/** What a checkpoint keeps of the rollouts that are learned from again; undefined where that is nothing. */
export function pastEntry(arrays: NamedArrays): TorchValue | undefined {
  const past = Object.entries(arrays).filter(([name]) => name.startsWith(prefix));
  const bytes = past.reduce((sum, [, { data }]) => sum + data.byteLength, 0);
  if (past.length === 0 || bytes > mostBytes) return undefined;
  return new OrderedDict(
    past.map(([name, { shape, data }]) => [
      name.slice(prefix.length),
      { shape, data, dtype: "float32" } as const,
    ]),
  );
}

/** The inverse. @throws RunError `bad-checkpoint` */
export function bufferIn(own: TorchDict, where: string): NamedArrays {
  const saved = own.get("buffer");
  if (saved === undefined) return {};
  if (!isDict(saved)) throw damaged(where, "its buffer holds no arrays");
  const arrays: Record<string, NamedArray> = {};
  for (const [name, tensor] of saved) {
    if (!isTensor(tensor) || tensor.dtype !== "float32") {
      throw damaged(where, `its buffer's ${String(name)} is no array of float32`);
    }
    const data = Float32Array.from(tensor.data as Float32Array);
    arrays[prefix + String(name)] = { shape: tensor.shape, data };
  }
  return arrays;
}
