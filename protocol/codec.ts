import { Packr } from "msgpackr";
import { ProtocolError } from "./errors.ts";
import { packUsual } from "./header-pack.ts";
import { scanHeader } from "./header-scan.ts";
import { limits } from "./limits.ts";
import type { Dtype } from "./spec.ts";
import { dtypeOf, itemSizes, type Tensor, type Tensors, viewOf } from "./tensor.ts";

export type { Tensor, Tensors } from "./tensor.ts";

/** A header map without its `tensors` entry, and the tensors by name. */
export interface RawMessage {
  readonly header: Readonly<Record<string, unknown>>;
  readonly tensors: Tensors;
}

export const tensorName = /^[a-z][A-Za-z0-9_.-]*(\/[A-Za-z][A-Za-z0-9_.-]*)?$/;
const none = new Uint8Array();
const packr = new Packr({ useRecords: false, variableMapSize: true, int64AsType: "number" });

/**
 * Message → frames: the packed header, then the bytes of each tensor. The tensors' memory is handed over, not
 * copied. Whatever `decodeMessage` would refuse is refused here too, with the same error.
 */
export function encodeMessage(header: object, tensors: Tensors = {}): Uint8Array[] {
  const frames: Uint8Array[] = [none];
  for (const name of Object.keys(tensors)) {
    const { shape, data } = tensors[name]!;
    checkOwn(name, shape, data);
    frames.push(bytesOf(data));
  }
  checkCount(frames.length);
  frames[0] = packUsual(header, tensors) ?? packThoroughly(header, tensors);
  return frames;
}

function bytesOf(data: Tensor["data"]): Uint8Array {
  if (data instanceof Uint8Array) return data;
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function packThoroughly(header: object, tensors: Tensors): Uint8Array {
  const described = Object.entries(tensors).map(([name, { shape, data }]) => {
    return { name, dtype: dtypeOf(data), shape };
  });
  const packed = packr.pack(described.length === 0 ? header : { ...header, tensors: described });
  scanHeader(packed);
  return packed;
}

/**
 * Frames → message. Tensors are views of the frames' memory where it is aligned, else copies.
 *
 * @throws ProtocolError for anything that is not a map of plain values followed by exactly the tensors it announces.
 */
export function decodeMessage(frames: readonly Uint8Array[]): RawMessage {
  checkCount(frames.length);
  const packed = frames[0] ?? new Uint8Array();
  scanHeader(packed);
  const { tensors: described = [], ...header } = unpack(packed);
  if (!Array.isArray(described)) {
    throw new ProtocolError("malformed", "is not an array", { field: "tensors" });
  }
  if (described.length !== frames.length - 1) {
    const problem = `${described.length} announced, ${frames.length - 1} frames follow the header`;
    throw new ProtocolError("malformed", problem, { field: "tensors" });
  }
  const tensors: Record<string, Tensor> = {};
  for (const [i, description] of described.entries()) {
    const frame = frames[i + 1] ?? new Uint8Array();
    const { name, dtype, shape } = describe(description, frame.byteLength, String(i));
    if (Object.hasOwn(tensors, name)) {
      throw new ProtocolError("malformed", "this name comes twice", { field: `tensors.${name}` });
    }
    tensors[name] = { shape, data: viewOf(dtype, frame) };
  }
  return { header, tensors };
}

/** The header alone, of a message whose tensors are not there. @throws ProtocolError */
export function decodeHeader(packed: Uint8Array): RawMessage["header"] {
  scanHeader(packed);
  const { tensors: _, ...header } = unpack(packed);
  return header;
}

/** The same header with another number, whatever it says of tensors. @throws ProtocolError */
export function renumbered(packed: Uint8Array, seq: number): Uint8Array {
  scanHeader(packed);
  return packr.pack({ ...unpack(packed), seq });
}

function unpack(packed: Uint8Array): Record<string, unknown> {
  try {
    return packr.unpack(packed) as Record<string, unknown>;
  } catch (cause) {
    throw new ProtocolError("malformed", "cannot be decoded", { field: "header", cause });
  }
}

function checkCount(count: number): void {
  if (count >= 1 && count <= limits.frames) return;
  const problem = `${count} frames; 1 to ${limits.frames} may be sent`;
  throw new ProtocolError(count < 1 ? "malformed" : "too-large", problem, { field: "frames" });
}

interface Description {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** Names that were found right: a flight has a dozen, and is asked for them at every step. */
const rightNames = new Set<string>();

/** A tensor of our own, before it is sent: the sums of `describe`, without its words where all is well. */
function checkOwn(name: string, shape: Tensor["shape"], data: Tensor["data"]): void {
  const { byteLength } = data;
  let right = rightNames.has(name) && byteLength <= limits.frameBytes && isShape(shape);
  let bytes = data.BYTES_PER_ELEMENT;
  for (let i = 0; right && i < shape.length; i++) bytes *= shape[i]!;
  right &&= bytes === byteLength;
  if (right) return;
  describe({ name, dtype: dtypeOf(data), shape }, byteLength, name);
  if (rightNames.size < limits.logEntries) rightNames.add(name);
}

/** Checks one entry of `tensors` against the size of its frame. */
function describe(entry: unknown, frameBytes: number, label: string): Description {
  const refuse = (problem: string, below = ""): never => {
    throw new ProtocolError("malformed", problem, { field: `tensors.${label}${below}` });
  };
  if (typeof entry !== "object" || entry === null) return refuse("is not a map");
  const { name, dtype, shape } = entry as Partial<Record<keyof Description, unknown>>;
  if (typeof name !== "string" || name.length > limits.nameLength || !tensorName.test(name)) {
    return refuse(`${shorten(name)} is not a tensor's name`, ".name");
  }
  if (!isDtype(dtype)) return refuse(`${shorten(dtype)} is none of <f4, |u1, <i4`, ".dtype");
  if (!isShape(shape)) return refuse("is not a list of whole numbers ≥ 0", ".shape");
  let bytes = itemSizes[dtype];
  for (let i = 0; i < shape.length; i++) bytes *= shape[i]!;
  if (Math.max(bytes, frameBytes) > limits.frameBytes) {
    const problem = `${Math.max(bytes, frameBytes)} bytes, at most ${limits.frameBytes} may be sent`;
    throw new ProtocolError("too-large", problem, { field: `tensors.${name}` });
  }
  if (bytes !== frameBytes) {
    return refuse(`[${shape}] ${dtype} is ${bytes} bytes, the frame has ${frameBytes}`, ".shape");
  }
  return { name, dtype, shape };
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === "string" && Object.hasOwn(itemSizes, value);
}

function isShape(value: unknown): value is readonly number[] {
  if (!Array.isArray(value) || value.length > limits.tensorDimensions) return false;
  for (let i = 0; i < value.length; i++) {
    if (!Number.isSafeInteger(value[i]) || value[i] < 0) return false;
  }
  return true;
}

function shorten(value: unknown): string {
  return value === undefined ? "nothing" : (JSON.stringify(value) ?? "?").slice(0, 80);
}
