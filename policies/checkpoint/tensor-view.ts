import { elementsOf } from "../named-array.ts";
import type { StorageType } from "./storage.ts";
import type { TorchTensor } from "./torch-value.ts";
import type { ZipMember } from "./zip-read.ts";

/** Bytes of a member, found whole. */
export class Storage {
  readonly type: StorageType;
  readonly elements: number;
  readonly #bytes: Uint8Array;

  constructor(
    type: StorageType,
    elements: number,
    member: ZipMember,
    fail: (what: string) => Error,
  ) {
    this.type = type;
    this.elements = elements;
    this.#bytes = member.read();
    const expected = elements * type.width;
    if (this.#bytes.length !== expected) {
      throw fail(`holds ${this.#bytes.length} bytes, expected ${expected}`);
    }
  }

  /** Elements `from` up to `to`. */
  decode(from: number, to: number): TorchTensor["data"] {
    const { width } = this.type;
    return this.type.decode(this.#bytes.subarray(from * width, to * width));
  }
}

export interface View {
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** Decoded when somebody asks: a checkpoint holds far more than the weights that fly. */
export function lazyTensor(storage: Storage, { offset, shape, strides }: View): TorchTensor {
  let data: TorchTensor["data"] | undefined;
  return {
    shape,
    dtype: storage.type.dtype,
    get data() {
      if (data === undefined) {
        const elements = elementsOf(shape);
        const end = shape.reduce((at, size, axis) => at + (size - 1) * strides[axis]!, offset) + 1;
        const seen = storage.decode(offset, elements === 0 ? offset : end);
        data = isContiguous(shape, strides) ? seen : gather(seen, shape, strides);
      }
      return data;
    },
  };
}

/** Row-major copy of a strided view. */
function gather(
  storage: TorchTensor["data"],
  shape: readonly number[],
  strides: readonly number[],
): TorchTensor["data"] {
  const elements = elementsOf(shape);
  const SameArray = storage.constructor as new (length: number) => Float32Array;
  const data = new SameArray(elements);
  const index = shape.map(() => 0);
  let at = 0;
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
