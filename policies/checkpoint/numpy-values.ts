import type { Rebuild } from "./pickle-read.ts";
import { Opaque, TorchTuple } from "./torch-value.ts";

/** Longest text that stands for bytes of a scalar. */
const LONGEST = 64;

/** How a NumPy scalar's bytes are read, by the code of its dtype; the byte order is little-endian. */
const readers: Readonly<Record<string, (view: DataView) => number | boolean>> = {
  b1: (view) => view.getUint8(0) !== 0,
  i1: (view) => view.getInt8(0),
  u1: (view) => view.getUint8(0),
  i2: (view) => view.getInt16(0, true),
  u2: (view) => view.getUint16(0, true),
  i4: (view) => view.getInt32(0, true),
  u4: (view) => view.getUint32(0, true),
  i8: (view) => Number(view.getBigInt64(0, true)),
  u8: (view) => Number(view.getBigUint64(0, true)),
  f4: (view) => view.getFloat32(0, true),
  f8: (view) => view.getFloat64(0, true),
};

/** What NumPy writes for a scalar, by `module name` as in a pickle: `numpy.float64(3)` is read as 3. */
export const numpyGlobals: ReadonlyMap<string, Rebuild> = new Map<string, Rebuild>([
  ["_codecs encode", encoded],
  ["numpy.core.multiarray scalar", scalar],
  ["numpy._core.multiarray scalar", scalar],
]);

/** Python 2's way to write bytes: text of their values. */
function encoded([text, codec]: readonly unknown[]): Opaque {
  if (typeof text !== "string" || codec !== "latin1" || text.length > LONGEST) {
    return new Opaque("bytes");
  }
  return new Opaque("bytes", { bytes: Uint8Array.from(text, (letter) => letter.charCodeAt(0)) });
}

function scalar([dtype, value]: readonly unknown[]): number | boolean | Opaque {
  const bytes = value instanceof Opaque ? value.parts.bytes : undefined;
  const code = dtype instanceof Opaque ? dtype.parts.args?.[0] : undefined;
  const [, order] =
    dtype instanceof Opaque && dtype.state instanceof TorchTuple ? dtype.state.items : [];
  const name = typeof code === "string" ? code : "";
  const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
  const width = Number(name.slice(1));
  if (!read || bytes?.length !== width || order === ">") return new Opaque("numpy.generic");
  return read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
