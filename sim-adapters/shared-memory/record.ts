import type { Described } from "../../protocol/messages.ts";
import { dtypeOf, itemSizes, type Tensor, type Tensors } from "../../protocol/tensor.ts";

/** A record of the file, protocol/README.md §11: head, tensors, tail; the seq stands in front and behind. */

export const headBytes = 64;
const tailBytes = 8;
const mark = Buffer.from("FSSM\x01\0\0\0", "latin1");

/** Every tensor begins at a multiple of 64 bytes. */
export function aligned(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

/** Bytes of the tensors with what lies between them. */
export function bodyBytes(tensors: Tensors): number {
  let sum = 0;
  for (const name of Object.keys(tensors)) sum += aligned(tensors[name]!.data.byteLength);
  return sum;
}

export function recordBytes(body: number): number {
  return headBytes + body + tailBytes;
}

export function describe(tensors: Tensors): Described[] {
  return Object.keys(tensors).map((name) => {
    const { shape, data } = tensors[name]!;
    return { name, dtype: dtypeOf(data), shape: shape as number[] };
  });
}

/** Bytes that the tensors announced take, or what is wrong with them. */
export function announcedBytes(described: readonly Described[]): number {
  let sum = 0;
  for (const { dtype, shape } of described) {
    let bytes = itemSizes[dtype];
    for (const size of shape) bytes *= size;
    sum += aligned(bytes);
  }
  return sum;
}

export function writeHead(head: Buffer, seq: number, body: number): void {
  head.set(mark);
  writeSeq(head, 8, seq);
  writeSeq(head, 16, body);
}

export function writeTail(tail: Buffer, seq: number): void {
  writeSeq(tail, 0, seq);
}

/** What is wrong with a record that should have this seq and body, if anything is. */
export function problemOf(record: Buffer, seq: number, body: number): string | undefined {
  if (record.compare(mark, 0, mark.length, 0, mark.length) !== 0) return "it has no record's mark";
  const [first, last] = [readSeq(record, 8), readSeq(record, headBytes + body)];
  const length = readSeq(record, 16);
  if (first !== seq) return `it holds seq ${first}, expected ${seq}`;
  if (length !== body) return `it holds ${length} bytes, ${body} were announced`;
  return last === seq ? undefined : `it is torn: it begins with seq ${first} and ends with ${last}`;
}

/** Views of a record's bytes, in the order they were announced. */
export function tensorsOf(record: Buffer, described: readonly Described[]): Tensors {
  const tensors: Record<string, Tensor> = {};
  let at = record.byteOffset + headBytes;
  for (const { name, dtype, shape } of described) {
    let count = 1;
    for (const size of shape) count *= size;
    const kind = dtype === "<f4" ? Float32Array : dtype === "<i4" ? Int32Array : Uint8Array;
    tensors[name] = { shape, data: new kind(record.buffer as ArrayBuffer, at, count) };
    at += aligned(count * itemSizes[dtype]);
  }
  return tensors;
}

/** A whole number up to 2^53 in 8 bytes, little-endian. */
function writeSeq(bytes: Buffer, at: number, seq: number): void {
  bytes.writeUInt32LE(seq >>> 0, at);
  bytes.writeUInt32LE(Math.floor(seq / 2 ** 32), at + 4);
}

function readSeq(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}
