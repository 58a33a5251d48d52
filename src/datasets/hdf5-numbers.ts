import type { Metadata } from "./hdf5-library.ts";

/** Integer, float and enumeration (h5py's bool) classes of HDF5, and bit fields (PyTables' bool). */
const INTEGER = 0;
const FLOAT = 1;
const BITFIELD = 4;
const ENUM = 8;

export type Numbers = Float32Array | Float64Array | Uint8Array;

/** How a data set's elements are to be taken: float16 to float64, 8 to 64 bit integers, booleans. */
export type ElementKind =
  | "f2"
  | "f4"
  | "f8"
  | "i1"
  | "u1"
  | "i2"
  | "u2"
  | "i4"
  | "u4"
  | "i8"
  | "u8";

/** `undefined` for what isn't numbers: text, compounds, references, variable lengths. */
export function elementKind(metadata: Metadata): ElementKind | undefined {
  const { type, size, signed, vlen } = metadata;
  if (vlen) return undefined;
  if (type === FLOAT) return size === 2 || size === 4 || size === 8 ? `f${size}` : undefined;
  if (type === BITFIELD) return size === 1 ? "u1" : undefined;
  if (type !== INTEGER && type !== ENUM) return undefined;
  if (size !== 1 && size !== 2 && size !== 4 && size !== 8) return undefined;
  return `${signed ? "i" : "u"}${size}`;
}

/** What a data set of this kind is kept as: bytes stay bytes, all else becomes float32. */
export function keptAs(kind: ElementKind, isBool: boolean): "uint8" | "float32" {
  return kind === "u1" || isBool ? "uint8" : "float32";
}

/** Copies `count` little-endian elements of the library's memory, converted, to `into` at `at`. */
export function convert(
  memory: Uint8Array,
  kind: ElementKind,
  { from, count, into, at }: { from: number; count: number; into: Numbers; at: number },
): void {
  const buffer = memory.buffer as ArrayBuffer;
  if (kind === "i8" || kind === "u8") {
    const Wide = kind === "i8" ? BigInt64Array : BigUint64Array;
    const wide = new Wide(buffer, from, count);
    for (let i = 0; i < count; i += 1) into[at + i] = Number(wide[i]);
  } else if (kind === "f2") {
    const halves = new Uint16Array(buffer, from, count);
    for (let i = 0; i < count; i += 1) into[at + i] = halfToNumber(halves[i]!);
  } else into.set(new VIEWS[kind](buffer, from, count), at);
}

const VIEWS = {
  f4: Float32Array,
  f8: Float64Array,
  i1: Int8Array,
  u1: Uint8Array,
  i2: Int16Array,
  u2: Uint16Array,
  i4: Int32Array,
  u4: Uint32Array,
};

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
