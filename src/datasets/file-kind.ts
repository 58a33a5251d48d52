import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { DatasetError } from "./dataset-error.ts";

const SIGNATURE = Buffer.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]);

const FOREIGN: readonly (readonly [what: string, is: (head: Buffer) => boolean, next: string])[] = [
  [
    "a git-lfs pointer: the data themselves were never downloaded",
    (head) => head.toString("latin1", 0, 42).startsWith("version https://git-lfs"),
    "Run `git lfs pull` in that repository, or download the file itself.",
  ],
  [
    "a zip archive, perhaps NumPy's .npz",
    (head) => head.toString("latin1", 0, 2) === "PK",
    "Unpack it, or write the arrays to HDF5 with h5py.",
  ],
  [
    "a NumPy .npy array",
    (head) => head.toString("latin1", 1, 6) === "NUMPY",
    "Write its arrays to HDF5 with h5py.",
  ],
  [
    "a Python pickle",
    (head) => head[0] === 0x80 && head[1]! <= 5,
    "Load it in the Python it was made with and write the arrays to HDF5 with h5py.",
  ],
  [
    "gzip-compressed as a whole",
    (head) => head[0] === 0x1f && head[1] === 0x8b,
    "Unpack it first: gunzip FILE.",
  ],
  [
    "an HTML page, probably a download that was refused",
    (head) => /^\s*<(!doctype|html)/i.test(head.toString("latin1", 0, 64)),
    "Download it again and look at what the server says.",
  ],
  [
    "an HDF4 or old NetCDF file",
    (head) => head.readUInt32BE(0) === 0x0e031301 || head.toString("latin1", 0, 3) === "CDF",
    "Convert it to HDF5.",
  ],
  [
    "an Arrow or Parquet file",
    (head) => /^(ARROW1|PAR1)/.test(head.toString("latin1", 0, 6)),
    "Minari can write HDF5: create the data set with data_format='hdf5'.",
  ],
];

/** Bytes of the file. @throws DatasetError naming what it is instead of HDF5, or that it is torn. */
export function checkIsHdf5(path: string): number {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    if (size === 0) {
      throw new DatasetError("empty-file", `${path} is empty (0 bytes)`, AGAIN);
    }
    const head = Buffer.alloc(512);
    readSync(file, head, 0, 512, 0);
    const start = findSignature(file, size);
    if (start === undefined) throw notHdf5(path, head);
    checkWhole(path, file, { start, size });
    return size;
  } finally {
    closeSync(file);
  }
}

const AGAIN = "Copy or record it again; whatever wrote it was stopped.";

/** The signature stands at 0, or after a user block of 512, 1024, 2048 … bytes. */
function findSignature(file: number, size: number): number | undefined {
  const found = Buffer.alloc(8);
  for (let at = 0; at < size; at = at === 0 ? 512 : at * 2) {
    readSync(file, found, 0, 8, at);
    if (found.equals(SIGNATURE)) return at;
  }
  return undefined;
}

function notHdf5(path: string, head: Buffer): DatasetError {
  const foreign = FOREIGN.find(([, is]) => is(head));
  const shown = JSON.stringify(head.toString("latin1", 0, 16).replace(/[^\x20-\x7e]/g, "."));
  const what = foreign ? `it is ${foreign[0]}` : `it starts with ${shown}`;
  const next = foreign?.[2] ?? "Give an HDF5 file in the D4RL, Minari or robomimic layout.";
  return new DatasetError("not-hdf5", `${path} is not an HDF5 file: ${what}`, next);
}

/** The superblock says where the file ends: a copy that broke off is named before it is read. */
function checkWhole(path: string, file: number, at: { start: number; size: number }): void {
  const block = Buffer.alloc(64);
  readSync(file, block, 0, 64, at.start);
  const version = block[8]!;
  const wide = (version < 2 ? block[13] : block[9]) === 8;
  const where = version === 0 ? 40 : version === 1 ? 44 : 28;
  if (!wide || version > 3) return;
  const end = Number(block.readBigUInt64LE(where));
  if (end + at.start <= at.size || end > Number.MAX_SAFE_INTEGER) return;
  throw new DatasetError(
    "torn-file",
    `${path} is torn: it has ${at.size} bytes and says that it ends at ${end}`,
    AGAIN,
  );
}
