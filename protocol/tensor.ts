import { endianness } from "node:os";
import { ProtocolError } from "./errors.ts";
import type { Dtype } from "./spec.ts";

/** Row-major numbers with their shape; the element type follows from the array's class. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array | Int32Array;
}

export type Tensors = Readonly<Record<string, Tensor>>;

/** Bytes of one number. */
export const itemSizes: Readonly<Record<Dtype, number>> = { "<f4": 4, "|u1": 1, "<i4": 4 };
const littleEndian = endianness() === "LE";

export function dtypeOf(data: Tensor["data"]): Dtype {
  if (data instanceof Float32Array) return "<f4";
  return data instanceof Int32Array ? "<i4" : "|u1";
}

/** Bytes that arrive at a multiple of 4 are looked at in place; others are copied once. */
export function viewOf(dtype: Dtype, bytes: Uint8Array): Tensor["data"] {
  if (dtype === "|u1") return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!littleEndian) {
    throw new ProtocolError("not-little-endian", "this machine is big-endian", {
      field: "tensors",
      hint: "Run on a little-endian machine (x86-64, arm64).",
    });
  }
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  const length = aligned.byteLength / 4;
  return dtype === "<f4"
    ? new Float32Array(aligned.buffer, aligned.byteOffset, length)
    : new Int32Array(aligned.buffer, aligned.byteOffset, length);
}
