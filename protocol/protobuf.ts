/**
 * Protocol buffers without a schema, for the files that are made of them (ONNX, TensorBoard's events, W&B's log):
 * pbf encodes and decodes the numbers; here are the chains of calls, and the checks that bytes from anywhere need.
 */
import { PbfReader, PbfWriter } from "pbf";

const encoder = new TextEncoder();

/** Writes the fields of a message. */
export type ProtoBody = (message: ProtoWriter) => unknown;

/** Builds one message; fields are written in the order of the calls, zeros included. */
export class ProtoWriter {
  readonly #pbf = new PbfWriter();

  /**
   * int32, int64, uint32, bool or enum; a negative number takes ten bytes, as in protobuf.
   * @throws RangeError for what is no safe integer
   */
  varint(field: number, value: number): this {
    if (!Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${value}`);
    this.#pbf.writeVarint(field * 8);
    this.#pbf.writeVarint(value);
    return this;
  }

  double(field: number, value: number): this {
    this.#pbf.writeVarint(field * 8 + 1);
    this.#pbf.writeDouble(value);
    return this;
  }

  float(field: number, value: number): this {
    this.#pbf.writeVarint(field * 8 + 5);
    this.#pbf.writeFloat(value);
    return this;
  }

  /** Lone surrogates become U+FFFD: a string field must be valid UTF-8. */
  string(field: number, value: string): this {
    // pbf's own writeString (5.1.2) spoils characters from U+20000 on.
    return this.bytes(field, encoder.encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    this.#pbf.writeVarint(field * 8 + 2);
    this.#pbf.writeBytes(value);
    return this;
  }

  message(field: number, body: ProtoBody): this {
    const inner = new ProtoWriter();
    body(inner);
    return this.bytes(field, inner.finish());
  }

  /** Borrowed: valid until the next write to this writer. */
  finish(): Uint8Array {
    return this.#pbf.buf.subarray(0, this.#pbf.pos);
  }
}

/** One field of a message; its bytes are viewed, not copied. */
export interface ProtoField {
  readonly field: number;
  /** Of varints, read as int64; exact to 2^53. */
  readonly int?: number;
  /** The content of strings, messages and packed numbers; of fixed numbers their 4 or 8 bytes; else empty. */
  readonly bytes: Uint8Array;
  /** The field as it stands, with its key. */
  readonly whole: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/**
 * The fields of a message, as they come. Allocates nothing but views, whatever the bytes say.
 *
 * @param fail makes the error for bytes that are no message
 */
export function* protoFields(
  bytes: Uint8Array,
  fail: (what: string) => Error,
): Generator<ProtoField> {
  const pbf = new PbfReader(bytes);
  const varint = (form?: "signed"): number => {
    try {
      const value = pbf.readVarint(form === "signed");
      if (pbf.pos <= bytes.length) return value;
    } catch {
      // Ten bytes without an end, or what the reader took for bytes beyond the last one.
      if (pbf.pos <= bytes.length) throw fail("a number without an end");
    }
    throw fail("a number is cut off");
  };
  const take = (length: number): Uint8Array => {
    const start = pbf.pos;
    if (length > bytes.length - start) throw fail(`a field of ${length} bytes is cut off`);
    pbf.pos += length;
    return bytes.subarray(start, pbf.pos);
  };
  while (pbf.pos < bytes.length) {
    const start = pbf.pos;
    const key = varint();
    const field = Math.floor(key / 8);
    if (field < 1 || field >= 2 ** 29) throw fail(`a field numbered ${field}`);
    const content = contentOf(key % 8, { varint, take, fail });
    yield { field, bytes: NOTHING, ...content, whole: bytes.subarray(start, pbf.pos) };
  }
}

interface Reads {
  readonly varint: (form?: "signed") => number;
  readonly take: (length: number) => Uint8Array;
  readonly fail: (what: string) => Error;
}

/** What follows a key of that kind. */
function contentOf(kind: number, { varint, take, fail }: Reads): Partial<ProtoField> {
  if (kind === 0) return { int: varint("signed") };
  if (kind === 1) return { bytes: take(8) };
  if (kind === 2) return { bytes: take(varint()) };
  if (kind === 5) return { bytes: take(4) };
  throw fail(`a field of the unknown kind ${kind}`);
}
