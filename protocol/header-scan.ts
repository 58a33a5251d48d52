import { ProtocolError } from "./errors.ts";
import { limits } from "./limits.ts";

const strictText = new TextDecoder("utf-8", { fatal: true });

/**
 * Walks the bytes of a msgpack header before anything is built from them. Afterwards they are known to be one map
 * of plain values: string keys without duplicates, valid UTF-8, finite numbers, whole numbers that a double holds,
 * no extension, no raw bytes, nothing after the end. A decoder allocates by what lengths claim; here every claim is
 * held against the bytes that are really there.
 */
export function scanHeader(bytes: Uint8Array): void {
  if (bytes.byteLength > limits.headerBytes) {
    const got = `${bytes.byteLength} bytes, at most ${limits.headerBytes} may be sent`;
    throw new ProtocolError("too-large", got, {
      field: "header",
      hint: "Leave out the names and units of wide observation groups, or shorten the log.",
    });
  }
  new Scanner(bytes).header();
}

class Scanner {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #path: string[] = [];
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  header(): void {
    const first = this.#bytes[0] ?? 0xc1;
    if ((first & 0xf0) !== 0x80 && first !== 0xde && first !== 0xdf) {
      this.#refuse("is not a msgpack map");
    }
    this.#value(0);
    if (this.#at !== this.#bytes.byteLength) {
      this.#refuse(`${this.#bytes.byteLength - this.#at} bytes follow the end of the map`);
    }
  }

  #value(depth: number): void {
    if (depth > limits.headerDepth) this.#refuse(`nested deeper than ${limits.headerDepth}`);
    const kind = this.#unsigned(1);
    if (kind < 0x80 || kind >= 0xe0) return;
    if (kind < 0x90) this.#map(kind & 0x0f, depth);
    else if (kind < 0xa0) this.#array(kind & 0x0f, depth);
    else if (kind < 0xc0) this.#text(kind & 0x1f);
    else if (kind >= 0xca && kind <= 0xd3) this.#number(kind);
    else if (kind >= 0xd9 && kind <= 0xdb) this.#text(this.#unsigned(1 << (kind - 0xd9)));
    else if (kind === 0xdc || kind === 0xdd) this.#array(this.#unsigned(2 << (kind - 0xdc)), depth);
    else if (kind === 0xde || kind === 0xdf) this.#map(this.#unsigned(2 << (kind - 0xde)), depth);
    else if (kind >= 0xc4 && kind <= 0xc6) {
      this.#refuse("holds raw bytes; they travel as a tensor frame");
    } else if (kind !== 0xc0 && kind !== 0xc2 && kind !== 0xc3) {
      this.#refuse(`msgpack type 0x${kind.toString(16)} may not be sent`);
    }
  }

  #map(size: number, depth: number): void {
    this.#claim(size * 2);
    const keys = new Set<string>();
    for (let i = 0; i < size; i++) {
      const key = this.#key();
      if (keys.has(key)) this.#refuse(`the key ${JSON.stringify(key)} comes twice`);
      keys.add(key);
      this.#path.push(key || '""');
      this.#value(depth + 1);
      this.#path.pop();
    }
  }

  #key(): string {
    const kind = this.#unsigned(1);
    if ((kind & 0xe0) === 0xa0) return this.#keyText(kind & 0x1f);
    if (kind >= 0xd9 && kind <= 0xdb) return this.#keyText(this.#unsigned(1 << (kind - 0xd9)));
    return this.#refuse("a key of the map is not a string");
  }

  #keyText(length: number): string {
    const key = this.#text(length);
    if (key === "__proto__") this.#refuse("the key __proto__ may not be sent");
    return key;
  }

  #array(size: number, depth: number): void {
    this.#claim(size);
    for (let i = 0; i < size; i++) {
      this.#path.push(String(i));
      this.#value(depth + 1);
      this.#path.pop();
    }
  }

  /** ASCII, which is nearly everything, costs no decoder. */
  #text(length: number): string {
    this.#claim(length);
    const start = this.#at;
    this.#at += length;
    let high = 0;
    for (let i = start; i < this.#at; i++) high |= this.#bytes[i]!;
    if (high < 0x80) return this.#bytes.toString("latin1", start, this.#at);
    try {
      return strictText.decode(this.#bytes.subarray(start, this.#at));
    } catch (cause) {
      return this.#refuse("text is not valid UTF-8", cause);
    }
  }

  #number(kind: number): void {
    const size = kind === 0xca ? 4 : kind === 0xcb ? 8 : 1 << (kind & 3);
    this.#claim(size);
    const at = this.#at;
    this.#at += size;
    if (kind === 0xca || kind === 0xcb) {
      const value = size === 4 ? this.#view.getFloat32(at) : this.#view.getFloat64(at);
      if (!Number.isFinite(value)) this.#refuse(`is ${value}; only finite numbers may be sent`);
    } else if (size === 8) {
      const value = kind === 0xcf ? this.#view.getBigUint64(at) : this.#view.getBigInt64(at);
      if (!Number.isSafeInteger(Number(value))) this.#refuse(`${value} is beyond 2^53 - 1`);
    }
  }

  #unsigned(size: number): number {
    this.#claim(size);
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + (this.#bytes[this.#at++] ?? 0);
    return value;
  }

  /** At least `size` more bytes must be there. */
  #claim(size: number): void {
    const left = this.#bytes.byteLength - this.#at;
    if (size > left) this.#refuse(`ends early: ${size} more bytes announced, ${left} there`);
  }

  #refuse(problem: string, cause?: unknown): never {
    const field = this.#path.length === 0 ? "header" : this.#path.join(".");
    throw new ProtocolError("malformed", problem, { field, cause });
  }
}
