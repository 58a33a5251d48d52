/**
 * A writer of MessagePack that can also write what no header may hold: laws about broken messages
 * need bytes that the codec refuses to make.
 */

/** Bytes put in as they are. */
export class Raw {
  readonly bytes: Uint8Array;

  constructor(...bytes: readonly number[]) {
    this.bytes = Uint8Array.from(bytes);
  }
}

/** A number as a float64, whole or not. */
export function asFloat(value: number): Raw {
  const bytes = new Uint8Array(9);
  bytes[0] = 0xcb;
  new DataView(bytes.buffer).setFloat64(1, value);
  return new Raw(...bytes);
}

/** A map in the order of its entries; the same key may come twice. */
export class Entries {
  readonly pairs: readonly (readonly [string, unknown])[];

  constructor(pairs: readonly (readonly [string, unknown])[]) {
    this.pairs = pairs;
  }
}

/** Text up to 65,535 bytes, whole numbers up to 2^32 − 1, and the classes above. */
export function pack(value: unknown): Uint8Array {
  const out: number[] = [];
  write(value, out);
  return Uint8Array.from(out);
}

function write(value: unknown, out: number[]): void {
  if (value instanceof Raw) for (const byte of value.bytes) out.push(byte);
  else if (value === null || value === undefined) out.push(0xc0);
  else if (typeof value === "boolean") out.push(value ? 0xc3 : 0xc2);
  else if (typeof value === "number") writeNumber(value, out);
  else if (typeof value === "string") {
    const bytes = new TextEncoder().encode(value);
    out.push(0xda, bytes.length >> 8, bytes.length & 255, ...bytes);
  } else if (Array.isArray(value)) {
    out.push(0xdc, value.length >> 8, value.length & 255);
    for (const item of value) write(item, out);
  } else {
    const pairs = value instanceof Entries ? value.pairs : Object.entries(value as object);
    out.push(0xde, pairs.length >> 8, pairs.length & 255);
    for (const [key, item] of pairs) {
      write(key, out);
      write(item, out);
    }
  }
}

function writeNumber(value: number, out: number[]): void {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) {
    out.push(0xce, value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255);
  } else write(asFloat(value), out);
}
