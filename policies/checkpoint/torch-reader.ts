import { elementsOf } from "../named-array.ts";
import { CheckpointError } from "../policy-error.ts";
import { readPickle } from "./pickle-read.ts";
import { STORAGE_TYPES, type StorageType } from "./storage.ts";
import {
  describe,
  isDict,
  isList,
  isTensor,
  OrderedDict,
  type TorchTensor,
  TorchTuple,
  type TorchValue,
} from "./torch-value.ts";
import { readZip, type ZipMember } from "./zip-read.ts";

const DEPTH = 64;
const NODES = 2_000_000;
const DIMENSIONS = 16;
/**
 * Elements that views may be spread over beyond what the file holds: a stride of 0 makes a large
 * tensor out of nothing.
 */
const SPARE_ELEMENTS = 2 ** 22;

/** One reading of a file of torch.save; see `readTorchFile`. */
export class TorchReader {
  readonly #where: string;
  readonly #members: ReadonlyMap<string, ZipMember>;
  readonly #root: string;
  readonly #storages = new Map<string, Storage>();
  #elementsLeft: number;

  constructor(bytes: Uint8Array, where: string) {
    this.#where = where;
    this.#members = readZip(bytes, where);
    this.#root = this.#findRoot();
    this.#elementsLeft = SPARE_ELEMENTS + 2 * bytes.length;
  }

  read(): TorchValue {
    const order = this.#members.get(`${this.#root}byteorder`)?.read();
    if (order !== undefined && new TextDecoder().decode(order).trim() !== "little") {
      throw this.#error(
        "big-endian",
        "its numbers are big-endian, expected little-endian",
        "Load and save it again with torch on a little-endian machine.",
      );
    }
    const pickle = this.#member("data.pkl").read();
    const value = readPickle(
      pickle,
      { globals: this.#globals(), persistent: (id) => this.#storage(id), build: setAttributes },
      this.#where,
    );
    return this.#checked(value);
  }

  #findRoot(): string {
    for (const name of this.#members.keys()) {
      const root = /^([^/]*\/)?data\.pkl$/.exec(name);
      if (root !== null && this.#members.has(`${root[1] ?? ""}constants.pkl`)) {
        throw this.#error(
          "torchscript",
          "it is an exported TorchScript program, expected a training checkpoint",
          "Give the model_*.pt of the run, not exported/policy.pt.",
        );
      }
      if (root !== null) return root[1] ?? "";
    }
    throw this.#error(
      "not-a-checkpoint",
      "it is a zip archive without data.pkl, expected a file of torch.save",
      "Give a model_*.pt that torch 1.6 or later has saved.",
    );
  }

  #globals(): ReadonlyMap<string, unknown> {
    const globals = new Map<string, unknown>([
      ["collections OrderedDict", (args: readonly unknown[]) => this.#orderedDict(args)],
      ["torch._utils _rebuild_tensor_v2", (args: readonly unknown[]) => this.#tensor(args)],
      ["torch._utils _rebuild_parameter", (args: readonly unknown[]) => args[0]],
      ["torch Size", (args: readonly unknown[]) => new TorchTuple(listOf(args[0]))],
    ]);
    for (const type of STORAGE_TYPES) globals.set(`torch ${type.name}`, type);
    return globals;
  }

  #orderedDict(args: readonly unknown[]): OrderedDict {
    if (args.length === 0) return new OrderedDict();
    const pairs = listOf(args[0]).map((pair) => listOf(pair));
    return new OrderedDict(pairs.map((pair) => [String(pair[0]), pair[1] ?? null]));
  }

  /** `('storage', type, key, device, elements)`. */
  #storage(id: unknown): Storage {
    const [tag, type, key, , elements] = listOf(id) as readonly unknown[];
    if (tag !== "storage" || !isStorageType(type) || typeof key !== "string") {
      throw this.#damaged(`a storage is named by ${describe(id)}`);
    }
    const size = this.#count(elements, `elements of storage ${key}`);
    const known = this.#storages.get(key);
    if (known !== undefined) {
      if (known.type === type && known.elements === size) return known;
      throw this.#damaged(`storage ${key} is used as ${known.type.name} and as ${type.name}`);
    }
    const storage = new Storage(type, size, this.#member(`data/${key}`), (what) =>
      this.#damaged(`storage ${key} ${what}`),
    );
    this.#storages.set(key, storage);
    return storage;
  }

  /**
   * `(storage, offset, shape, strides, requires_grad, hooks)`; offset and strides count elements.
   */
  #tensor(args: readonly unknown[]): TorchTensor {
    const storage = args[0];
    if (!(storage instanceof Storage)) throw this.#damaged("a tensor without a storage");
    const offset = this.#count(args[1], "offset of a tensor");
    const shape = listOf(args[2]).map((size) => this.#count(size, "shape of a tensor"));
    const strides = listOf(args[3]).map((size) => this.#count(size, "stride of a tensor"));
    if (shape.length !== strides.length || shape.length > DIMENSIONS) {
      throw this.#damaged(`a tensor of ${shape.length} axes with ${strides.length} strides`);
    }
    const elements = elementsOf(shape);
    const last = shape.reduce((at, size, axis) => at + (size - 1) * (strides[axis] ?? 0), offset);
    if (elements > 0 && last >= storage.elements) {
      throw this.#damaged(
        `a tensor [${shape.join(", ")}] reaches element ${last} of a storage of ${storage.elements}`,
      );
    }
    this.#elementsLeft -= elements;
    if (this.#elementsLeft < 0) {
      throw this.#damaged("its tensors claim far more elements than the file has bytes");
    }
    return {
      shape,
      dtype: storage.type.dtype,
      data: gather(storage.data(), offset, shape, strides),
    };
  }

  /** Refuses cycles, towers of lists in lists, and the marks a well-formed file has no use for. */
  #checked(root: unknown): TorchValue {
    let nodes = 0;
    const visit = (value: unknown, depth: number): void => {
      if (depth > DEPTH) throw this.#damaged(`values nested deeper than ${DEPTH}`);
      if (++nodes > NODES) throw this.#damaged(`more than ${NODES} values`);
      if (value === null || ["boolean", "number", "bigint", "string"].includes(typeof value))
        return;
      if (isTensor(value)) return;
      if (value instanceof OrderedDict) visit(value.attributes, depth + 1);
      if (isDict(value)) for (const item of value.values()) visit(item, depth + 1);
      else if (isList(value)) for (const item of value) visit(item, depth + 1);
      else if (value instanceof TorchTuple) for (const item of value.items) visit(item, depth + 1);
      else throw this.#damaged("a class or storage where a value is expected");
    };
    visit(root, 0);
    return root as TorchValue;
  }

  #member(name: string): ZipMember {
    const member = this.#members.get(this.#root + name);
    if (member === undefined) throw this.#damaged(`member ${name} is missing`);
    return member;
  }

  #count(value: unknown, what: string): number {
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw this.#damaged(`${what} is ${describe(value)}, expected a whole number from 0`);
  }

  #damaged(what: string): CheckpointError {
    return this.#error(
      "damaged-checkpoint",
      what,
      "The file is truncated or damaged: copy or download it again.",
    );
  }

  #error(code: string, what: string, hint: string): CheckpointError {
    return new CheckpointError(code, `${this.#where}: ${what}`, hint);
  }
}

/** Decoded once, when the first tensor asks for it. */
class Storage {
  readonly type: StorageType;
  readonly elements: number;
  readonly #member: ZipMember;
  readonly #fail: (what: string) => Error;
  #data: TorchTensor["data"] | undefined;

  constructor(
    type: StorageType,
    elements: number,
    member: ZipMember,
    fail: (what: string) => Error,
  ) {
    this.type = type;
    this.elements = elements;
    this.#member = member;
    this.#fail = fail;
  }

  data(): TorchTensor["data"] {
    if (this.#data === undefined) {
      const bytes = this.#member.read();
      const expected = this.elements * this.type.width;
      if (bytes.length !== expected) {
        throw this.#fail(`holds ${bytes.length} bytes, expected ${expected}`);
      }
      this.#data = this.type.decode(bytes);
    }
    return this.#data;
  }
}

/** Row-major copy of a strided view. */
function gather(
  storage: TorchTensor["data"],
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): TorchTensor["data"] {
  const elements = elementsOf(shape);
  if (isContiguous(shape, strides)) return storage.slice(offset, offset + elements);
  const SameArray = storage.constructor as new (length: number) => Float32Array;
  const data = new SameArray(elements);
  const index = shape.map(() => 0);
  let at = offset;
  for (let i = 0; i < elements; i++) {
    data[i] = storage[at] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] ?? 0;
      index[axis] = (index[axis] ?? 0) + 1;
      at += stride;
      if ((index[axis] ?? 0) < (shape[axis] ?? 0)) break;
      at -= stride * (index[axis] ?? 0);
      index[axis] = 0;
    }
  }
  return data;
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 0;
    if (size !== 1 && strides[axis] !== expected) return size === 0;
    expected *= size;
  }
  return true;
}

function setAttributes(target: unknown, state: unknown): void {
  // Attributes of anything else change no number we read: torch hangs none on plain dicts and
  // tensors.
  if (target instanceof OrderedDict && isDict(state)) target.attributes = state;
}

function listOf(value: unknown): readonly TorchValue[] {
  if (value instanceof TorchTuple) return value.items;
  return isList(value) ? value : [];
}

function isStorageType(value: unknown): value is StorageType {
  return STORAGE_TYPES.some((type) => type === value);
}
