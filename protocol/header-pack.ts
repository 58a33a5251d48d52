import { limits } from "./limits.ts";
import { dtypeOf, type Tensors } from "./tensor.ts";

/** Bytes that a header of the usual kind has at most. */
const size = 4096;
/**
 * Headers lie here one after the other and are never written over: ZeroMQ reads them later. Memory of its own for each costs
 * more than packing it.
 */
let bytes = new Uint8Array(16 * size);
let view = new DataView(bytes.buffer);
let at = 0;
/** Where the header under way begins, and must end. */
let start = 0;
let end = 0;
const plain = Object.prototype;

/** What the quick way leaves to the thorough one. */
const unusual = new Error("not a header of the usual kind");

/**
 * The msgpack bytes of a header whose texts are ASCII and whose numbers are finite, with its tensors described: the
 * shortest form of everything, as msgpackr writes it, without its tables. It keeps the rules of `scanHeader` by construction,
 * so nobody has to look again.
 *
 * @returns undefined where anything in it is of another kind
 */
export function packUsual(header: object, tensors: Tensors = {}): Uint8Array | undefined {
  begin();
  try {
    const names = Object.keys(tensors);
    map(header, 0);
    if (names.length > 0) describe(header, names, tensors);
  } catch (error) {
    at = start;
    // A RangeError is the end of the memory.
    if (error === unusual || error instanceof RangeError) return undefined;
    throw error;
  }
  return bytes.subarray(start, at);
}

function begin(): void {
  if (at + size > bytes.length) {
    bytes = new Uint8Array(16 * size);
    view = new DataView(bytes.buffer);
    at = 0;
  }
  start = at;
  end = at + size;
}

/** The list of tensors, as the last entry of the header that was just written. */
function describe(header: object, names: readonly string[], tensors: Tensors): void {
  if (names.length >= 16 || bytes[start] === 0x8f || "tensors" in header) throw unusual;
  bytes[start]!++;
  text("tensors");
  byte(0x90 | names.length);
  for (let i = 0; i < names.length; i++) {
    const { data, shape } = tensors[names[i]!]!;
    byte(0x83);
    text("name");
    text(names[i]!);
    text("dtype");
    text(dtypeOf(data));
    text("shape");
    array(shape, 2);
  }
}

function value(item: unknown, depth: number): void {
  if (typeof item === "string") text(item);
  else if (typeof item === "number") number(item);
  else if (typeof item === "boolean") byte(item ? 0xc3 : 0xc2);
  else if (item === null) byte(0xc0);
  else if (typeof item !== "object" || depth > limits.headerDepth) throw unusual;
  else if (Array.isArray(item)) array(item, depth);
  else map(item, depth);
}

function map(item: object, depth: number): void {
  const prototype = Object.getPrototypeOf(item);
  if (prototype !== plain && prototype !== null) throw unusual;
  const keys = Object.keys(item);
  if (keys.length >= 16) throw unusual;
  byte(0x80 | keys.length);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (key === "__proto__") throw unusual;
    text(key);
    value((item as Readonly<Record<string, unknown>>)[key], depth + 1);
  }
}

function array(items: readonly unknown[], depth: number): void {
  if (items.length >= 16) throw unusual;
  byte(0x90 | items.length);
  for (let i = 0; i < items.length; i++) value(items[i], depth + 1);
}

function text(item: string): void {
  const { length } = item;
  if (length >= 256) throw unusual;
  if (length < 32) byte(0xa0 | length);
  else {
    byte(0xd9);
    byte(length);
  }
  if (at + length > end) throw unusual;
  let high = 0;
  for (let i = 0; i < length; i++) {
    const code = item.charCodeAt(i);
    high |= code;
    bytes[at++] = code;
  }
  if (high >= 0x80) throw unusual;
}

function number(item: number): void {
  if (item >>> 0 === item) unsigned(item);
  else if (!Number.isFinite(item) || item >> 0 === item) throw unusual;
  else {
    byte(0xcb);
    view.setFloat64(at, item);
    at += 8;
  }
}

function unsigned(item: number): void {
  if (item < 0x80) byte(item);
  else if (item < 0x100) {
    byte(0xcc);
    byte(item);
  } else if (item < 0x10000) {
    byte(0xcd);
    view.setUint16(at, item);
    at += 2;
  } else {
    byte(0xce);
    view.setUint32(at, item);
    at += 4;
  }
}

function byte(item: number): void {
  if (at >= end) throw unusual;
  bytes[at++] = item;
}
