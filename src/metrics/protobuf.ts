import { CodedError } from "../../protocol/coded-error.ts";

/** The part of the protocol buffer wire format that metric files need: no schema, no dependency. */

/** A metric file holds bytes that its format doesn't allow. */
export class MetricFormatError extends CodedError {
  override readonly name = "MetricFormatError";
}

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Builds one message; fields are written in the order of the calls, zeros included. */
export class ProtoWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** int32, int64, uint32, bool or enum; a negative number takes ten bytes, as in protobuf. */
  varint(field: number, value: number): this {
    if (!Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${value}`);
    this.#tag(field, VARINT);
    if (value < 0) this.#bigVarint(BigInt.asUintN(64, BigInt(value)));
    else this.#varint(value);
    return this;
  }

  double(field: number, value: number): this {
    this.#tag(field, FIXED64);
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
    return this;
  }

  float(field: number, value: number): this {
    this.#tag(field, FIXED32);
    this.#reserve(4);
    this.#view.setFloat32(this.#length, value, true);
    this.#length += 4;
    return this;
  }

  /** Lone surrogates become U+FFFD: a string field must be valid UTF-8. */
  string(field: number, value: string): this {
    return this.bytes(field, encoder.encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, DELIMITED);
    this.#varint(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  message(field: number, build: (inner: ProtoWriter) => void): this {
    const inner = new ProtoWriter();
    build(inner);
    return this.bytes(field, inner.finish());
  }

  /** Borrowed: valid until the next write to this writer. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #tag(field: number, wire: number): void {
    this.#varint(field * 8 + wire);
  }

  /** Arithmetic, not shifts: values above 2^31 must survive. */
  #varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) + 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  #bigVarint(value: bigint): void {
    this.#reserve(10);
    let rest = value;
    while (rest >= 0x80n) {
      this.#bytes[this.#length++] = Number(rest % 0x80n) + 0x80;
      rest /= 0x80n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** One field of a message: a number for a varint, else the field's raw bytes (borrowed). */
export interface ProtoField {
  readonly field: number;
  readonly value: number | Uint8Array;
}

/**
 * Splits a message into its fields.
 * @throws MetricFormatError `malformed-protobuf` where the bytes are no message.
 */
export function protoFields(bytes: Uint8Array): ProtoField[] {
  const fields: ProtoField[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw malformed("ends inside a number", at);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
    throw malformed("has a number longer than ten bytes", at);
  };
  const slice = (length: number): Uint8Array => {
    if (length < 0 || length > bytes.length - at) throw malformed("ends inside a field", at);
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    if (field < 1) throw malformed(`has field number ${field}`, at);
    fields.push({ field, value: fieldValue(tag % 8, varint, slice, at) });
  }
  return fields;
}

function fieldValue(
  wire: number,
  varint: () => number,
  slice: (length: number) => Uint8Array,
  at: number,
): number | Uint8Array {
  if (wire === VARINT) return varint();
  if (wire === FIXED64) return slice(8);
  if (wire === DELIMITED) return slice(varint());
  if (wire === FIXED32) return slice(4);
  throw malformed(`has wire type ${wire}`, at);
}

function malformed(what: string, at: number): MetricFormatError {
  return new MetricFormatError(
    "malformed-protobuf",
    `protocol buffer message ${what} at byte ${at}`,
    "the file is damaged or was written by another program; start a new run folder",
  );
}

/** The first field of that number as a message, a string or a number; undefined where absent. */
export function messageIn(fields: readonly ProtoField[], field: number): ProtoField[] | undefined {
  const value = fields.find((f) => f.field === field)?.value;
  return value instanceof Uint8Array ? protoFields(value) : undefined;
}

export function stringIn(fields: readonly ProtoField[], field: number): string | undefined {
  const value = fields.find((f) => f.field === field)?.value;
  return value instanceof Uint8Array ? decoder.decode(value) : undefined;
}

export function numberIn(fields: readonly ProtoField[], field: number): number | undefined {
  const value = fields.find((f) => f.field === field)?.value;
  return typeof value === "number" ? value : undefined;
}
