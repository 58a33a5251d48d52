import { elementsOf } from "../named-array.ts";
import { CheckpointError } from "../policy-error.ts";
import { numpyGlobals } from "./numpy-values.ts";
import { readPickle } from "./pickle-read.ts";
import { STORAGE_TYPES, type StorageType } from "./storage.ts";
import { lazyTensor, Storage } from "./tensor-view.ts";
import {
  describe,
  isDict,
  isList,
  Opaque,
  OrderedDict,
  type TorchTensor,
  TorchTuple,
  type TorchValue,
} from "./torch-value.ts";
import { readZip, type ZipMember } from "./zip-read.ts";

const DEPTH = 64;
const NODES = 2_000_000;
const DIMENSIONS = 16;
/** Bytes of one file of an exported program's code. */
const CODE = 2 ** 20;
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

  /** What `torch.save` was given. */
  read(): TorchValue {
    if (this.isProgram) {
      throw this.#error(
        "torchscript",
        "it is an exported TorchScript program, expected a training checkpoint",
        "Give the model_*.pt of the run.",
      );
    }
    return this.#checked(this.#pickle("data.pkl"));
  }

  /** Whether it is an exported program, and in which members its code is. */
  get isProgram(): boolean {
    return this.#members.has(`${this.#root}constants.pkl`);
  }

  /** The module that a program was exported from, as it is: its submodules and buffers are in the states of `Opaque`s. */
  readProgram(): unknown {
    return this.#pickle("data.pkl");
  }

  /** The program's code: text by path, without the folder `code/`. */
  code(): ReadonlyMap<string, string> {
    const folder = `${this.#root}code/`;
    const files = [...this.#members].flatMap(([name, member]) => {
      if (!name.startsWith(folder) || !name.endsWith(".py")) return [];
      if (member.size > CODE) throw this.#damaged(`${name} has ${member.size} bytes`);
      return [[name.slice(folder.length), new TextDecoder().decode(member.read())] as const];
    });
    return new Map(files);
  }

  /** What the program's code calls `CONSTANTS.c0` …: tensors. */
  constants(): readonly unknown[] {
    return listOf(this.#pickle("constants.pkl", "constants/"));
  }

  /** @param folder where its tensors' elements are */
  #pickle(name: string, folder = "data/"): unknown {
    const order = this.#members.get(`${this.#root}byteorder`)?.read();
    if (order !== undefined && new TextDecoder().decode(order).trim() !== "little") {
      throw this.#error(
        "big-endian",
        "its numbers are big-endian, expected little-endian",
        "Load and save it again with torch on a little-endian machine.",
      );
    }
    return readPickle(
      this.#member(name).read(),
      {
        globals: this.#globals(),
        persistent: (id) => this.#storage(id, folder),
        build: setAttributes,
      },
      this.#where,
    );
  }

  #findRoot(): string {
    for (const name of this.#members.keys()) {
      const root = /^([^/]*\/)?data\.pkl$/.exec(name);
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
      ["torch._utils _rebuild_parameter_with_state", (args: readonly unknown[]) => args[0]],
      ["torch._tensor _rebuild_from_type_v2", rebuiltFromType],
      // TorchScript's lists say of what they are.
      ["torch.jit._pickle restore_type_tag", (args: readonly unknown[]) => args[0]],
      ["collections defaultdict", () => new Map()],
      ...numpyGlobals,
      ["torch Size", (args: readonly unknown[]) => new TorchTuple(listOf(args[0]))],
    ]);
    for (const type of STORAGE_TYPES) globals.set(`torch ${type.name}`, type);
    return globals;
  }

  #orderedDict(args: readonly unknown[]): OrderedDict {
    if (args.length === 0) return new OrderedDict();
    const pairs = listOf(args[0]).map((pair) => listOf(pair));
    return new OrderedDict(
      pairs.flatMap(([key, value = null]) => (typeof key === "string" ? [[key, value]] : [])),
    );
  }

  /** `('storage', type, key, device, elements)`. */
  #storage(id: unknown, folder: string): Storage | Opaque {
    const [tag, type, key, , elements] = listOf(id) as readonly unknown[];
    if (type instanceof Opaque) return type;
    if (tag !== "storage" || !isStorageType(type) || typeof key !== "string") {
      throw this.#damaged(`a storage is named by ${describe(id)}`);
    }
    const size = this.#count(elements, `elements of storage ${key}`);
    const known = this.#storages.get(folder + key);
    if (known !== undefined) {
      if (known.type === type && known.elements === size) return known;
      throw this.#damaged(`storage ${key} is used as ${known.type.name} and as ${type.name}`);
    }
    const storage = new Storage(type, size, this.#member(`${folder}${key.slice(0, 80)}`), (what) =>
      this.#damaged(`storage ${key.slice(0, 80)} ${what}`),
    );
    this.#storages.set(folder + key, storage);
    return storage;
  }

  /**
   * `(storage, offset, shape, strides, requires_grad, hooks)`; offset and strides count elements.
   */
  #tensor(args: readonly unknown[]): TorchTensor | Opaque {
    const storage = args[0];
    if (storage instanceof Opaque) return new Opaque("torch.Tensor");
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
    if (this.#elementsLeft < 0 || elements > Math.max(storage.elements, SPARE_ELEMENTS)) {
      throw this.#damaged("its tensors claim far more elements than the file has bytes");
    }
    return lazyTensor(storage, { offset, shape, strides });
  }

  /** Refuses cycles and towers of lists in lists; a class beside the values is as opaque as its objects. */
  #checked(root: unknown): TorchValue {
    if (root instanceof Opaque) throw this.#noData(root);
    let nodes = 0;
    const visit = (value: unknown, depth: number): TorchValue => {
      if (depth > DEPTH) throw this.#damaged(`values nested deeper than ${DEPTH}`);
      if (++nodes > NODES) throw this.#damaged(`more than ${NODES} values`);
      if (value instanceof OrderedDict) visit(value.attributes, depth + 1);
      if (value instanceof Map) {
        for (const [key, item] of value) value.set(key, visit(item, depth + 1));
      } else if (Array.isArray(value) || value instanceof TorchTuple) {
        const items = (Array.isArray(value) ? value : value.items) as unknown[];
        for (const [i, item] of items.entries()) items[i] = visit(item, depth + 1);
      } else if (value instanceof Storage || typeof value === "function" || isStorageType(value)) {
        if (depth === 0) throw this.#damaged("a class or storage where a value is expected");
        return new Opaque("class or storage");
      } else if (typeof value === "symbol" || value === undefined) {
        throw this.#damaged("a mark where a value is expected");
      }
      return value as TorchValue;
    };
    return visit(root, 0);
  }

  #noData({ name }: Opaque): CheckpointError {
    return this.#error(
      "forbidden-global",
      `it holds an object of ${name} and no weights by name; nothing was run`,
      "Save its weights: torch.save(policy.state_dict(), FILE), or export the policy to ONNX.",
    );
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

function setAttributes(target: unknown, state: unknown): void {
  // Attributes of anything else change no number we read: torch hangs none on plain dicts and
  // tensors.
  if (target instanceof OrderedDict && isDict(state)) target.attributes = state;
}

/** `(function, type, arguments, state)`: a subclass of torch's Tensor is read as what it is made from. */
function rebuiltFromType([rebuild, , args]: readonly unknown[]): unknown {
  if (typeof rebuild === "function" && args instanceof TorchTuple) return rebuild(args.items);
  return new Opaque("torch.Tensor");
}

function listOf(value: unknown): readonly TorchValue[] {
  if (value instanceof TorchTuple) return value.items;
  return isList(value) ? value : [];
}

function isStorageType(value: unknown): value is StorageType {
  return STORAGE_TYPES.some((type) => type === value);
}
