import type { TorchArrays, TorchDtype } from "./torch-value.ts";

/** How the elements of one of torch's storages lie in the file. */
export interface StorageType {
  /** Torch's class, e.g. `FloatStorage`. */
  readonly name: string;
  /** Bytes of one element in the file. */
  readonly width: number;
  /** What it is read as. */
  readonly dtype: TorchDtype;
  /** Elements from little-endian bytes; always a copy. */
  readonly decode: (bytes: Uint8Array) => TorchArrays[TorchDtype];
}

type ArrayClass = new (buffer: ArrayBuffer) => TorchArrays[TorchDtype];

function plain(name: string, width: number, dtype: TorchDtype, type: ArrayClass): StorageType {
  return { name, width, dtype, decode: (bytes) => new type(copyOf(bytes)) };
}

export const STORAGE_TYPES: readonly StorageType[] = [
  plain("FloatStorage", 4, "float32", Float32Array),
  plain("DoubleStorage", 8, "float64", Float64Array),
  plain("LongStorage", 8, "int64", BigInt64Array),
  plain("IntStorage", 4, "int32", Int32Array),
  plain("ShortStorage", 2, "int16", Int16Array),
  plain("CharStorage", 1, "int8", Int8Array),
  plain("ByteStorage", 1, "uint8", Uint8Array),
  plain("BoolStorage", 1, "bool", Uint8Array),
  { name: "HalfStorage", width: 2, dtype: "float32", decode: decodeHalf },
  { name: "BFloat16Storage", width: 2, dtype: "float32", decode: decodeBfloat16 },
];

const OF_DTYPE = new Map(STORAGE_TYPES.map((type) => [type.name, type] as const));

/** The storage a dtype is written to. */
export function storageFor(dtype: TorchDtype): StorageType {
  const found = [...OF_DTYPE.values()].find((type) => type.dtype === dtype);
  if (found === undefined) throw new TypeError(`no storage for ${dtype}`);
  return found;
}

function copyOf(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

/** The upper half of a float32. */
function decodeBfloat16(bytes: Uint8Array): Float32Array {
  const halves = new Uint16Array(copyOf(bytes));
  const words = Uint32Array.from(halves, (half) => half << 16);
  return new Float32Array(words.buffer);
}

/** IEEE 754 binary16. */
function decodeHalf(bytes: Uint8Array): Float32Array {
  return Float32Array.from(new Uint16Array(copyOf(bytes)), (bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >>> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
}
