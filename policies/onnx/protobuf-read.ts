/** One field of a protobuf message: a whole number, or bytes that are viewed, not copied. */
export interface ProtoField {
  readonly field: number;
  /** Of varints, and of fixed 32-bit and 64-bit numbers, which nothing here reads: 0. */
  readonly int: number;
  /** Of length-delimited fields; else empty. */
  readonly bytes: Uint8Array;
  /** The field as it stands, with its key. */
  readonly whole: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/**
 * The fields of a message, as they come. Allocates nothing but views.
 *
 * @param fail makes the error for bytes that are no message
 */
export function* protoFields(
  bytes: Uint8Array,
  fail: (what: string) => Error,
): Generator<ProtoField> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) throw fail("a number is cut off");
      // Exact to 2^53; what is larger (a negative number) is of no use here.
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw fail("a number without an end");
  };
  const take = (length: number): Uint8Array => {
    const start = at;
    if (!(length <= bytes.length - at)) throw fail(`a field of ${length} bytes is cut off`);
    at += length;
    return bytes.subarray(start, at);
  };
  while (at < bytes.length) {
    const start = at;
    const key = varint();
    const field = Math.floor(key / 8);
    if (field < 1 || field > 2 ** 29) throw fail(`a field numbered ${field}`);
    let int = 0;
    let content: Uint8Array = NOTHING;
    if (key % 8 === 0) int = varint();
    else if (key % 8 === 1) take(8);
    else if (key % 8 === 2) content = take(varint());
    else if (key % 8 === 5) take(4);
    else throw fail(`a field of the unknown kind ${key % 8}`);
    yield { field, int, bytes: content, whole: bytes.subarray(start, at) };
  }
}
