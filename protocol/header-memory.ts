import { type NumberAt, numberAt, numbersOf } from "./header-numbers.ts";
import { limits } from "./limits.ts";
import type { Dtype } from "./spec.ts";
import { dtypeOf, itemSizes, type Tensor, type Tensors, viewOf } from "./tensor.ts";

/** Headers that are remembered, and the longest of them, bytes. */
const most = 16;
const longest = 4096;

/** What may change in a header that is known. */
type Place =
  | { readonly of: "seq" }
  | { readonly of: "timing" | "log"; readonly name: string }
  | { readonly of: "tensors" | "shared"; readonly tensor: number; readonly dimension: number };
type Hole = NumberAt & Place;

type Figures = Readonly<Record<string, number>>;

interface Header {
  readonly type: string;
  readonly seq: number;
}

interface Message<H> {
  readonly header: H;
  readonly tensors: Tensors;
}

interface Known<H> {
  readonly bytes: Uint8Array;
  /** Bits of each byte that must be the same again. */
  readonly fixed: Uint8Array;
  readonly holes: readonly Hole[];
  readonly header: H;
  readonly tensors: readonly Described[];
}

interface Described {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/**
 * The headers of a flight differ in numbers alone: the seq, what took how long, how many episodes ended. One that was read
 * and checked thoroughly is remembered, and the next like it costs a comparison. What differs in any other byte, or has a
 * number that may not be, is left to the thorough way and its errors.
 */
export class HeaderMemory<H extends Header> {
  readonly #known: Known<H>[] = [];

  /** From memory, else thoroughly. */
  read(
    frames: readonly Uint8Array[],
    thoroughly: (frames: readonly Uint8Array[]) => Message<H>,
  ): Message<H> {
    const known = this.recall(frames);
    if (known !== undefined) return known;
    const message = thoroughly(frames);
    this.#learn(frames[0], message);
    return message;
  }

  /** The message exactly as it would be read thoroughly; undefined where nothing like it is known. */
  recall(frames: readonly Uint8Array[]): Message<H> | undefined {
    const packed = frames[0];
    if (packed === undefined) return undefined;
    for (let i = 0; i < this.#known.length; i++) {
      const known = this.#known[i]!;
      if (known.tensors.length !== frames.length - 1 || !alike(known, packed)) continue;
      if (i > 0) this.#known.unshift(...this.#known.splice(i, 1));
      return rebuild(known, packed, frames);
    }
    return undefined;
  }

  /** Steps and their results alone come often enough. */
  #learn(packed: Uint8Array | undefined, { header, tensors }: Message<H>): void {
    if (packed === undefined || packed.length > longest) return;
    if (header.type !== "step" && header.type !== "result") return;
    const holes = numbersOf(packed).flatMap((found) => {
      const place = placeOf(found.path, header);
      return place === undefined ? [] : [{ ...found, ...place }];
    });
    const fixed = new Uint8Array(packed.length).fill(0xff);
    for (const { at, size } of holes) fixed.fill(size === 0 ? 0x80 : 0, at, at + (size || 1));
    const described = Object.entries(tensors).map(([name, { shape, data }]) => {
      return { name, dtype: dtypeOf(data), shape };
    });
    // A plain array, not a slice of ZeroMQ's Buffer: the comparison knows one kind alone.
    const bytes = Uint8Array.from(packed);
    this.#known.unshift({ bytes, fixed, holes, header, tensors: described });
    if (this.#known.length > most) this.#known.pop();
  }
}

function placeOf(path: NumberAt["path"], header: object): Place | undefined {
  const [first, second, third, fourth] = path;
  if (first === "seq" && path.length === 1) return { of: "seq" };
  if ((first === "timing" || first === "log") && path.length === 2) {
    const figures = (header as Readonly<Record<string, object | undefined>>)[first];
    // A name that was made visible is another one now.
    if (figures === undefined || !Object.hasOwn(figures, second!)) return undefined;
    return { of: first, name: String(second) };
  }
  if (first !== "tensors" && first !== "shared") return undefined;
  if (third !== "shape" || path.length !== 4) return undefined;
  return { of: first, tensor: Number(second), dimension: Number(fourth) };
}

function alike({ bytes, fixed }: Known<unknown>, packed: Uint8Array): boolean {
  const { length } = bytes;
  if (packed.length !== length) return false;
  let different = 0;
  for (let i = 0; i < length; i++) different |= (bytes[i]! ^ packed[i]!) & fixed[i]!;
  return different === 0;
}

function rebuild<H extends Header>(
  known: Known<H>,
  packed: Uint8Array,
  frames: readonly Uint8Array[],
): Message<H> | undefined {
  const header = { ...known.header } as Record<string, unknown>;
  const [timing, log] = [copied(header, "timing"), copied(header, "log")];
  let [shapes, shared]: (number[][] | undefined)[] = [];
  for (let i = 0; i < known.holes.length; i++) {
    const hole = known.holes[i]!;
    const value = numberAt(packed, hole);
    if (hole.of === "tensors") {
      if (shapes === undefined) {
        if (known.tensors[hole.tensor]!.shape[hole.dimension] === value) continue;
        shapes = known.tensors.map(({ shape }) => [...shape]);
      }
      shapes[hole.tensor]![hole.dimension] = value;
    } else if (hole.of === "shared") {
      if (!isSize(value)) return undefined;
      shared ??= sharedCopy(header);
      shared[hole.tensor]![hole.dimension] = value;
    } else if (hole.of === "timing" || hole.of === "log") {
      if (!Number.isFinite(value) || (hole.of === "timing" && value < 0)) return undefined;
      (hole.of === "timing" ? timing : log)![hole.name] = value;
    } else {
      if (!Number.isSafeInteger(value) || value < 1) return undefined;
      header.seq = value;
    }
  }
  const tensors = tensorsOf(known, shapes, frames);
  return tensors && { header: header as unknown as H, tensors };
}

function tensorsOf(
  { tensors: described }: Known<unknown>,
  shapes: readonly (readonly number[])[] | undefined,
  frames: readonly Uint8Array[],
): Tensors | undefined {
  const tensors: Record<string, Tensor> = {};
  for (let i = 0; i < described.length; i++) {
    const { name, dtype, shape } = described[i]!;
    const tensor = tensorOf(dtype, shapes?.[i] ?? shape, frames[i + 1]!);
    if (tensor === undefined) return undefined;
    tensors[name] = tensor;
  }
  return tensors;
}

function copied(header: Record<string, unknown>, key: string): Record<string, number> | undefined {
  if (header[key] === undefined) return undefined;
  const copy = { ...(header[key] as Figures) };
  header[key] = copy;
  return copy;
}

function isSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** The shapes of a new list of tensors in shared memory, to be filled in. */
function sharedCopy(header: Record<string, unknown>): number[][] {
  const copy = (header.shared as readonly Described[]).map((one) => ({
    ...one,
    shape: [...one.shape],
  }));
  header.shared = copy;
  return copy.map(({ shape }) => shape);
}

function tensorOf(dtype: Dtype, shape: readonly number[], frame: Uint8Array): Tensor | undefined {
  let bytes = itemSizes[dtype];
  for (let i = 0; i < shape.length; i++) {
    if (!isSize(shape[i])) return undefined;
    bytes *= shape[i]!;
  }
  if (bytes !== frame.byteLength || bytes > limits.frameBytes) return undefined;
  return { shape, data: viewOf(dtype, frame) };
}
