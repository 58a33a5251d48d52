/** A number in a packed header. */
export interface NumberAt {
  /** Keys and places from the outside in. */
  readonly path: readonly (string | number)[];
  /** Where its bytes begin, and how many there are; 0: it is its own type byte, below 0x80. */
  readonly at: number;
  readonly size: 0 | 1 | 2 | 4 | 8;
}

/** Unsigned numbers and doubles of a header that `scanHeader` has let pass; those of other kinds are left out. */
export function numbersOf(packed: Uint8Array): readonly NumberAt[] {
  const walker = new Walker(packed);
  walker.value([]);
  return walker.found;
}

const eight = new DataView(new ArrayBuffer(8));

export function numberAt(packed: Uint8Array, { at, size }: NumberAt): number {
  if (size === 8) {
    // A view of the message itself would cost more than these eight bytes.
    for (let i = 0; i < 8; i++) eight.setUint8(i, packed[at + i]!);
    return eight.getFloat64(0);
  }
  let value = packed[at]!;
  for (let i = 1; i < size; i++) value = value * 256 + packed[at + i]!;
  return value;
}

class Walker {
  readonly found: NumberAt[] = [];
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  value(path: NumberAt["path"]): void {
    const kind = this.#bytes[this.#at++]!;
    if (kind < 0x80) this.found.push({ path, at: this.#at - 1, size: 0 });
    else if (kind < 0x90) this.#map(kind & 0x0f, path);
    else if (kind < 0xa0) this.#array(kind & 0x0f, path);
    else if (kind < 0xc0) this.#at += kind & 0x1f;
    else if (kind === 0xcb) this.#number(8, path);
    else if (kind >= 0xcc && kind <= 0xce) this.#number((1 << (kind - 0xcc)) as 1 | 2 | 4, path);
    else if (kind === 0xca) this.#at += 4;
    else if (kind >= 0xcf && kind <= 0xd3) this.#at += kind === 0xcf ? 8 : 1 << (kind & 3);
    else if (kind >= 0xd9 && kind <= 0xdb) this.#at += this.#length(1 << (kind - 0xd9));
    else if (kind === 0xdc || kind === 0xdd) this.#array(this.#length(2 << (kind - 0xdc)), path);
    else if (kind === 0xde || kind === 0xdf) this.#map(this.#length(2 << (kind - 0xde)), path);
  }

  #number(size: 1 | 2 | 4 | 8, path: NumberAt["path"]): void {
    this.found.push({ path, at: this.#at, size });
    this.#at += size;
  }

  #map(count: number, path: NumberAt["path"]): void {
    for (let i = 0; i < count; i++) this.value([...path, this.#key()]);
  }

  #array(count: number, path: NumberAt["path"]): void {
    for (let i = 0; i < count; i++) this.value([...path, i]);
  }

  #key(): string {
    const kind = this.#bytes[this.#at++]!;
    const length = kind < 0xc0 ? kind & 0x1f : this.#length(1 << (kind - 0xd9));
    const start = this.#at;
    this.#at += length;
    return Buffer.from(this.#bytes.subarray(start, this.#at)).toString();
  }

  #length(size: number): number {
    let length = 0;
    for (let i = 0; i < size; i++) length = length * 256 + this.#bytes[this.#at++]!;
    return length;
  }
}
