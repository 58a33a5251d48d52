const LINE_BYTES = 512;
const LONG_BYTES = 64;

/** Reads the arguments of pickle's instructions, never past the end. */
export class ByteReader {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fail: (what: string) => Error;

  constructor(bytes: Uint8Array, fail: (what: string) => Error) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fail = fail;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  /** The one big-endian number of the format. */
  f64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  u64(): number {
    const value = this.#view.getBigUint64(this.#advance(8), true);
    if (value > BigInt(this.#bytes.length)) throw this.#fail(`a length of ${value} bytes`);
    return Number(value);
  }

  /** Two's complement, little-endian, of any length. */
  long(length: number): number | bigint {
    if (length > LONG_BYTES) throw this.#fail(`an integer of ${length} bytes`);
    const start = this.#advance(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) {
      value = (value << 8n) | BigInt(this.#bytes[start + i] as number);
    }
    const signed = BigInt.asIntN(8 * length, value);
    const narrow = Number(signed);
    return Number.isSafeInteger(narrow) ? narrow : signed;
  }

  text(length: number): string {
    const start = this.#advance(length);
    const bytes = this.#bytes.subarray(start, start + length);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw this.#fail("text that is not UTF-8");
    }
  }

  /** A view. */
  bytes(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Up to the next line feed, which is taken too. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.at);
    if (end < 0 || end - this.at > LINE_BYTES) throw this.#fail("a line without an end");
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }

  #advance(length: number): number {
    const start = this.at;
    if (start + length > this.#bytes.length) throw this.#fail("the pickle is cut off");
    this.at = start + length;
    return start;
  }
}
