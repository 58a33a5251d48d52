/**
 * Fields of a protobuf message, in the order they are written; the few kinds that ONNX needs.
 * Numbers are the field numbers of onnx.proto.
 */
export class ProtoWriter {
  readonly #parts: Uint8Array[] = [];

  /** A whole number from 0 to 2^53, as a varint. */
  int(field: number, value: number): this {
    this.#parts.push(varint(field * 8), varint(value));
    return this;
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.#parts.push(varint(field * 8 + 5), bytes);
    return this;
  }

  /** Borrowed until `bytes` is called. */
  raw(field: number, value: Uint8Array): this {
    this.#parts.push(varint(field * 8 + 2), varint(value.length), value);
    return this;
  }

  text(field: number, value: string): this {
    return this.raw(field, new TextEncoder().encode(value));
  }

  message(field: number, value: ProtoWriter): this {
    return this.raw(field, value.finish());
  }

  /** A copy of all fields. */
  finish(): Uint8Array {
    const total = this.#parts.reduce((sum, { length }) => sum + length, 0);
    const out = new Uint8Array(total);
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}

/** Seven bits at a time, the lowest first. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
