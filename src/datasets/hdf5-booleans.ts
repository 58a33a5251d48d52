import { closeSync, openSync, readSync, writeSync } from "node:fs";

const NAME = "firstsolo_boolean";
/** A compound of one byte under a name that nothing else has: the mark that becomes a boolean. */
export const MARKED = [[NAME, "<b"]] as [string, string][];
const PIECE = 4 << 20;

/** Columns as the library wants a compound. */
export function marked(flags: Uint8Array): Map<string, Uint8Array> {
  return new Map([[NAME, flags]]);
}

/**
 * Makes HDF5 booleans, as h5py writes them, of all marked tables of a closed file. The library can't
 * write enumerations, and flags that are integers are read wrongly by who picks with them
 * (`MinariDataset.filter_episodes` does). A datatype of the oldest version stands in its table's header
 * without a checksum, and the compound's takes more room than the enumeration's: one is put in the
 * other's place (HDF5 File Format Specification, IV.A.2.d).
 *
 * @returns how many tables there were
 */
export function markBooleans(path: string): number {
  const file = openSync(path, "r+");
  const piece = Buffer.alloc(PIECE);
  let found = 0;
  try {
    for (let at = 0; ; at += PIECE - COMPOUND.length + 1) {
      const length = readSync(file, piece, 0, PIECE, at);
      const seen = piece.subarray(0, length);
      for (let i = seen.indexOf(COMPOUND); i >= 0; i = seen.indexOf(COMPOUND, i + 1)) {
        writeSync(file, BOOLEAN, 0, BOOLEAN.length, at + i);
        found += 1;
      }
      if (length < PIECE) return found;
    }
  } finally {
    closeSync(file);
  }
}

/** Fixed point, 1 byte, signed, 8 bits from 0. */
const BYTE = [0x10, 0x08, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0];

/** Class 6, version 1, one member: its name to a multiple of 8, offset, no dimensions, its type. */
const COMPOUND = Buffer.concat([
  Buffer.from([0x16, 1, 0, 0, 1, 0, 0, 0]),
  padded(NAME, 24),
  Buffer.alloc(32),
  Buffer.from(BYTE),
]);

/** Class 8, version 1, two members of bytes: names to a multiple of 8, then the values. */
const BOOLEAN = Buffer.concat(
  [
    Buffer.from([0x18, 2, 0, 0, 1, 0, 0, 0]),
    Buffer.from(BYTE),
    padded("FALSE", 8),
    padded("TRUE", 8),
    Buffer.from([0, 1]),
    Buffer.alloc(COMPOUND.length),
  ],
  COMPOUND.length,
);

function padded(text: string, length: number): Buffer {
  return Buffer.concat([Buffer.from(text, "latin1")], length);
}
