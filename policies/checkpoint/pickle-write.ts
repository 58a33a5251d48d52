import { CheckpointError } from "../policy-error.ts";
import { Op } from "./pickle-opcodes.ts";
import {
  isDict,
  isList,
  isTensor,
  Opaque,
  OrderedDict,
  type TorchDict,
  type TorchTensor,
  TorchTuple,
  type TorchValue,
} from "./torch-value.ts";

/** Where a tensor's elements are kept: torch's storage class and the member's key. */
export interface StoredTensor {
  readonly storage: string;
  readonly key: string;
}

const DEPTH = 64;

/**
 * Writes a value as a pickle of protocol 2 that `torch.load(weights_only=True)` reads. Nothing is
 * shared: what is referred to twice is written twice.
 *
 * @param store takes in the elements of a tensor and says where they are
 * @throws CheckpointError `unsupported-value`
 */
export function writePickle(
  value: TorchValue,
  store: (tensor: TorchTensor) => StoredTensor,
): Uint8Array {
  const writer = new Writer(store);
  return writer.write(value);
}

class Writer {
  readonly #store: (tensor: TorchTensor) => StoredTensor;
  #bytes = new Uint8Array(4096);
  #length = 0;

  constructor(store: (tensor: TorchTensor) => StoredTensor) {
    this.#store = store;
  }

  write(value: TorchValue): Uint8Array {
    this.#put(Op.PROTO, 2);
    this.#value(value, 0);
    this.#put(Op.STOP);
    return this.#bytes.slice(0, this.#length);
  }

  #value(value: TorchValue, depth: number): void {
    if (depth > DEPTH) throw unsupported(`values nested deeper than ${DEPTH}`);
    if (value === null) this.#put(Op.NONE);
    else if (typeof value === "boolean") this.#put(value ? Op.NEWTRUE : Op.NEWFALSE);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "bigint") this.#long(value);
    else if (typeof value === "string") this.#text(value);
    else if (isTensor(value)) this.#tensor(value);
    else if (isDict(value)) this.#dict(value, depth);
    else if (isList(value)) this.#sequence(Op.EMPTY_LIST, value, Op.APPENDS, depth);
    else if (value instanceof TorchTuple) this.#sequence(undefined, value.items, Op.TUPLE, depth);
    // Nobody knows what its class would make of it.
    else if (value instanceof Opaque) this.#put(Op.NONE);
    else throw unsupported(`a value of type ${typeof value}`);
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) this.#float(value);
    else if (value >= 0 && value < 0x100) this.#put(Op.BININT1, value);
    else if (value === (value | 0)) this.#put(Op.BININT, ...littleEndian(value, 4));
    else this.#long(BigInt(value));
  }

  #float(value: number): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, false);
    this.#put(Op.BINFLOAT, ...bytes);
  }

  #long(value: bigint): void {
    let length = 1;
    while (BigInt.asIntN(8 * length, value) !== value) length++;
    if (length > 64) throw unsupported("an integer of more than 64 bytes");
    const bytes = Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
    this.#put(Op.LONG1, length, ...bytes);
  }

  #text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.#put(Op.BINUNICODE, ...littleEndian(bytes.length, 4));
    this.#append(bytes);
  }

  #sequence(
    empty: number | undefined,
    items: readonly TorchValue[],
    close: number,
    depth: number,
  ): void {
    if (empty !== undefined) this.#put(empty);
    this.#put(Op.MARK);
    for (const item of items) this.#value(item, depth + 1);
    this.#put(close);
  }

  #dict(dict: TorchDict, depth: number): void {
    if (dict instanceof OrderedDict) {
      this.#global("collections", "OrderedDict");
      this.#put(Op.EMPTY_TUPLE, Op.REDUCE);
    } else this.#put(Op.EMPTY_DICT);
    this.#put(Op.MARK);
    for (const [key, item] of dict) {
      this.#value(key, depth + 1);
      this.#value(item, depth + 1);
    }
    this.#put(Op.SETITEMS);
    if (!(dict instanceof OrderedDict) || dict.attributes.size === 0) return;
    this.#dict(dict.attributes, depth + 1);
    this.#put(Op.BUILD);
  }

  /** `_rebuild_tensor_v2(storage, offset 0, shape, strides, requires_grad False, no hooks)`. */
  #tensor(tensor: TorchTensor): void {
    const { storage, key } = this.#store(tensor);
    this.#global("torch._utils", "_rebuild_tensor_v2");
    this.#put(Op.MARK, Op.MARK);
    this.#text("storage");
    this.#global("torch", storage);
    this.#text(key);
    this.#text("cpu");
    this.#number(tensor.data.length);
    this.#put(Op.TUPLE, Op.BINPERSID);
    this.#number(0);
    this.#sequence(undefined, tensor.shape, Op.TUPLE, 0);
    this.#sequence(undefined, stridesOf(tensor.shape), Op.TUPLE, 0);
    this.#put(Op.NEWFALSE);
    this.#dict(new OrderedDict(), 0);
    this.#put(Op.TUPLE, Op.REDUCE);
  }

  #global(module: string, name: string): void {
    this.#put(Op.GLOBAL);
    this.#append(new TextEncoder().encode(`${module}\n${name}\n`));
  }

  #put(...bytes: readonly number[]): void {
    this.#append(Uint8Array.from(bytes));
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(2 * needed);
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = needed;
  }
}

/** Row-major, in elements. */
function stridesOf(shape: readonly number[]): readonly number[] {
  const strides: number[] = [];
  let stride = 1;
  for (const size of [...shape].reverse()) {
    strides.unshift(stride);
    stride *= Math.max(1, size);
  }
  return strides;
}

function littleEndian(value: number, length: number): readonly number[] {
  return Array.from({ length }, (_, i) => (value >> (8 * i)) & 0xff);
}

function unsupported(what: string): CheckpointError {
  return new CheckpointError(
    "unsupported-value",
    `${what} can't be written to a checkpoint`,
    "Use tensors, numbers, text, lists, tuples and Maps.",
  );
}
