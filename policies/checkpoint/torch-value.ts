/**
 * What a file of torch.save can hold, as plain data. Python's int is a number, or a bigint beyond
 * 2^53; float is a number; list is an array;
 * tuple is a `TorchTuple`; dict is a Map, whose order counts; OrderedDict is an `OrderedDict`.
 */
export type TorchValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | TorchTensor
  | TorchTuple
  | Opaque
  | readonly TorchValue[]
  | ReadonlyMap<TorchKey, TorchValue>;

export type TorchKey = string | number | boolean | bigint;

/** Python's dict. */
export type TorchDict = ReadonlyMap<TorchKey, TorchValue>;

/**
 * Element types, by torch's names. float16 and bfloat16 are read as float32, which holds them
 * exactly.
 */
export interface TorchArrays {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly int64: BigInt64Array;
  readonly int32: Int32Array;
  readonly int16: Int16Array;
  readonly int8: Int8Array;
  readonly uint8: Uint8Array;
  /** 0 or 1. */
  readonly bool: Uint8Array;
}

export type TorchDtype = keyof TorchArrays;

/** A tensor: row-major, contiguous, its own copy. A scalar's shape is `[]`. */
export interface TorchTensor {
  readonly shape: readonly number[];
  readonly dtype: TorchDtype;
  readonly data: TorchArrays[TorchDtype];
}

export class TorchTuple {
  readonly items: readonly TorchValue[];

  constructor(items: readonly TorchValue[]) {
    this.items = items;
  }
}

/** What an object of a class unknown here was made from, as the file says it. Nothing of the class is run. */
export interface OpaqueParts {
  readonly args?: readonly unknown[];
  readonly bytes?: Uint8Array;
}

/** An object that is not plain data: known by the name of its class only. */
export class Opaque {
  /** `module.Class`. */
  readonly name: string;
  readonly parts: OpaqueParts;
  /** What its attributes were set from; not looked at when a checkpoint is checked. */
  state: unknown;

  constructor(name: string, parts: OpaqueParts = {}) {
    this.name = name;
    this.parts = parts;
  }
}

/**
 * collections.OrderedDict, with the attributes torch hangs on it (`_metadata` of a state_dict names
 * every module).
 */
export class OrderedDict extends Map<TorchKey, TorchValue> {
  attributes: TorchDict = new Map();
}

export function isDict(value: unknown): value is TorchDict {
  return value instanceof Map;
}

export function isList(value: unknown): value is readonly TorchValue[] {
  return Array.isArray(value);
}

export function isTensor(value: unknown): value is TorchTensor {
  return typeof value === "object" && value !== null && "dtype" in value && "shape" in value;
}

/** A dict from the entries of a plain object. */
export function torchDict(entries: Readonly<Record<string, TorchValue>>): TorchDict {
  return new Map(Object.entries(entries));
}

/** `a dict with 4 entries`, for messages. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (isTensor(value)) return `a ${value.dtype} tensor [${value.shape.join(", ")}]`;
  if (isDict(value)) return `a dict with ${value.size} entries`;
  if (isList(value)) return `a list of ${value.length}`;
  if (value instanceof Opaque) return `an object of ${value.name.slice(0, 80)}`;
  if (value instanceof TorchTuple) return `a tuple of ${value.items.length}`;
  if (typeof value === "string") return JSON.stringify(value.slice(0, 80));
  if (typeof value === "object" || typeof value === "function") return "a class or storage";
  return String(value).slice(0, 80);
}
