import { statSync } from "node:fs";
import { DatasetError } from "./dataset-error.ts";
import { checkIsHdf5 } from "./file-kind.ts";
import { type Hdf5, inside, type Library, type Metadata } from "./hdf5-library.ts";
import { elementKind } from "./hdf5-numbers.ts";
import type { TableInfo } from "./table-info.ts";

/** The library keeps what it saw of every group; a fresh look at the file lets go of it. */
const CALLS_PER_LOOK = 256;
/** What deflate can squeeze into a byte, and room for small files. */
const LARGEST_RATIO = 1100;
const SLACK = 1 << 20;
const ATTRIBUTE_BYTES = 16 << 20;

/** How a file is opened. */
export interface WithinOptions {
  /** Bytes that one compressed chunk may unpack to. */
  readonly chunkLimit: number;
  /** What `identity` was when it was opened before: nobody may have changed it since. */
  readonly identity?: string;
}

/**
 * A file within HDF5's library, opened for reading. Nothing is allocated by what a header claims; no link is
 * followed. The library itself may loop for ever on a damaged file: others read through `Hdf5File`.
 */
export class Hdf5Within {
  readonly path: string;
  readonly bytes: number;
  /** Another one as soon as somebody writes to the file. */
  readonly identity: string;
  readonly #library: Library;
  readonly #classes: Hdf5["classes"];
  readonly #chunkLimit: number;
  #id: bigint;
  #calls = 0;
  #stage = 0;
  #stageBytes = 0;
  #staged = 0;

  /** @throws DatasetError */
  constructor(path: string, { classes, library }: Hdf5, { chunkLimit, identity }: WithinOptions) {
    this.path = path;
    this.bytes = checkIsHdf5(path);
    this.#library = library;
    this.#classes = classes;
    this.#chunkLimit = chunkLimit;
    this.identity = identityOf(path);
    if (identity !== undefined && identity !== this.identity) throw changed(path);
    this.#id = this.#look();
  }

  /** What a group holds, in the order of the file; `""` is the root. `undefined`: no such group. */
  names(group: string): readonly string[] | undefined {
    if (group !== "" && this.#isLink(group)) throw this.#linked(group);
    const [names] = this.#ask((m, id) => m.get_names(id, group === "" ? "/" : group, false));
    return names;
  }

  /** @throws DatasetError where a link stands there */
  kindOf(path: string): "group" | "table" | "other" | "none" {
    if (this.#isLink(path)) throw this.#linked(path);
    const [kind, { refused }] = this.#ask((m, id) => m.get_type(id, path));
    if (refused.length > 0) throw this.#linked(path);
    if (kind === undefined || kind < 0) return "none";
    if (kind === this.#library.H5G_GROUP) return "group";
    return kind === this.#library.H5G_DATASET ? "table" : "other";
  }

  /**
   * `undefined` where there is nothing.
   *
   * @param whole bytes up to which a table comes with its rows
   * @throws DatasetError for a link, text, or what the file can't hold
   */
  table(path: string, whole = 0): TableInfo | undefined {
    if (this.#isLink(path)) throw this.#linked(path);
    const [metadata, { refused }] = this.#ask((m, id) => m.get_dataset_metadata(id, path));
    if (refused.length > 0) throw this.#linked(path);
    if (!metadata) return undefined;
    if (metadata.virtual_sources !== undefined) throw this.#linked(path);
    const kind = elementKind(metadata);
    const { shape } = metadata;
    if (kind === undefined || !shape || shape.length === 0) {
      throw new DatasetError(
        "not-numbers",
        `${this.path}: ${path} holds ${whatIs(metadata)}, not rows of numbers`,
        "Recorded flights are float16 to float64, integers or booleans, one row for each step.",
      );
    }
    this.#checkPlausible(path, metadata, shape);
    const width = shape.slice(1).reduce((product, size) => product * size, 1);
    const chunkRows = metadata.chunks?.[0] ?? 1;
    const isBool = metadata.enum_type !== undefined;
    const table = { path, shape, rows: shape[0]!, width, kind, isBool, chunkRows };
    const bytes = table.rows * width * metadata.size;
    return bytes === 0 || bytes > whole ? table : { ...table, stored: this.#stored(table, bytes) };
  }

  /** Reads rows, as they are stored; gives their bytes, which `staged` copies. @throws DatasetError */
  bring(table: TableInfo, rows: { readonly from: number; readonly count: number }): number {
    const bytes = rows.count * table.width * Number(table.kind[1]);
    this.#makeStage(bytes);
    const count = table.shape.map((size, axis) => BigInt(axis === 0 ? rows.count : size));
    const offset = table.shape.map((_, axis) => BigInt(axis === 0 ? rows.from : 0));
    const strides = table.shape.map(() => 1n);
    const [status, { reason, refused }] = this.#ask((m, id) =>
      m.get_dataset_data(id, table.path, count, offset, strides, BigInt(this.#stage)),
    );
    if (refused.length > 0 && !reason.includes("filter")) throw this.#linked(table.path);
    if (status !== 0) throw unreadable(`${this.path}: ${table.path}`, reason, rows);
    this.#staged = bytes;
    return bytes;
  }

  /** Copies what `bring` has read, from that byte on: as much as there is, or as fits. */
  staged(from: number, into: Uint8Array): void {
    const end = Math.min(this.#staged, from + into.length);
    into.set(this.#library.HEAPU8.subarray(this.#stage + from, this.#stage + end));
  }

  #stored(table: TableInfo, bytes: number): Uint8Array {
    const stored = new Uint8Array(bytes);
    this.bring(table, { from: 0, count: table.rows });
    this.staged(0, stored);
    return stored;
  }

  /** A text or a number; `undefined` where there is none, or one too large to be meant. */
  attribute(path: string, name: string): string | number | boolean | undefined {
    const where = path === "" ? "/" : path;
    const [value] = this.#ask((m, id) => {
      const { size, total_size: count, shape } = m.get_attribute_metadata(id, where, name);
      if (!shape || count !== 1 || size > ATTRIBUTE_BYTES) return undefined;
      return new this.#classes.Group(id, where).get_attribute(name, true);
    });
    const single = Array.isArray(value) && value.length === 1 ? value[0] : value;
    return typeof single === "object" ? undefined : single;
  }

  close(): void {
    if (this.#id < 0n) return;
    const id = this.#id;
    this.#id = -1n;
    inside(this.path, () => {
      if (this.#stage !== 0) this.#library._free(this.#stage);
      this.#library.close_file(id);
    });
  }

  #ask<T>(call: (library: Library, id: bigint) => T) {
    if (this.#id < 0n) {
      throw new DatasetError("closed", `${this.path} has been closed`, "Open it again.");
    }
    this.#calls += 1;
    if (this.#calls % CALLS_PER_LOOK === 0) {
      inside(this.path, () => this.#library.close_file(this.#id));
      if (identityOf(this.path) !== this.identity) throw changed(this.path);
      this.#id = this.#look();
    }
    return inside(this.path, () => call(this.#library, this.#id));
  }

  #look(): bigint {
    const library = this.#library;
    const mode = library.H5F_ACC_RDONLY;
    const [id, { reason }] = inside(this.path, () => library.open(this.path, mode, false, -1, -1));
    if (id !== undefined && id >= 0n) return id;
    throw new DatasetError(
      "torn-file",
      `${this.path} has the signature of HDF5 and can't be opened: ${reason || "no reason given"}`,
      "It was probably not closed by who wrote it, or copied in part; record or copy it again.",
    );
  }

  #isLink(path: string): boolean {
    const [target] = this.#ask((m, id) => m.get_symbolic_link(id, path));
    return typeof target === "string";
  }

  #linked(path: string): DatasetError {
    return new DatasetError(
      "link",
      `${this.path}: ${path} is a link, or its data lie in another file; links are not followed`,
      "Copy the data into one file: h5repack, or h5py's copy(..., expand_soft=True, expand_external=True).",
    );
  }

  #checkPlausible(path: string, metadata: Metadata, shape: readonly number[]): void {
    const declared = shape.reduce((product, size) => product * size, metadata.size);
    const chunk = (metadata.chunks ?? []).reduce((product, size) => product * size, metadata.size);
    if (metadata.chunks && chunk > this.#chunkLimit) {
      throw new DatasetError(
        "chunk-too-large",
        `${this.path}: ${path} is stored in chunks of ${chunk} bytes, the memory allows ${this.#chunkLimit}`,
        "Allow more memory (--dataset_memory), or store it in smaller chunks: h5repack -l CHUNK=1024x…",
      );
    }
    if (declared <= this.bytes + SLACK) return;
    const [filters] = this.#ask((m, id) => m.get_dataset_filters(id, path));
    const ratio = filters && filters.length > 0 ? LARGEST_RATIO : 1;
    if (declared <= this.bytes * ratio + SLACK) return;
    throw new DatasetError(
      "implausible-size",
      `${this.path}: ${path} is declared as [${shape.join(", ")}], ${declared} bytes; the whole file has ${this.bytes}`,
      "It was never written in full, or its header is damaged; record or copy it again.",
    );
  }

  #makeStage(bytes: number): void {
    if (bytes <= this.#stageBytes) return;
    const old = this.#stage;
    if (old !== 0) inside(this.path, () => this.#library._free(old));
    this.#stageBytes = Math.max(bytes, 1 << 16);
    [this.#stage = 0] = inside(this.path, () => this.#library._malloc(this.#stageBytes));
    if (this.#stage !== 0) return;
    this.#stageBytes = 0;
    const message = `${this.path}: no memory for ${bytes} bytes in HDF5's library`;
    throw new DatasetError("out-of-memory", message, "Store it in smaller rows or chunks.");
  }
}

function whatIs({ type, size, shape, vlen }: Metadata): string {
  if (vlen || type === 9) return "texts or rows of varying length (JPEG-encoded images, perhaps)";
  if (type === 3) return "text";
  if (!shape || shape.length === 0) return "a single value";
  return `elements of HDF5's class ${type} with ${size} bytes`;
}

function unreadable(
  where: string,
  reason: string,
  { from, count }: { from: number; count: number },
): DatasetError {
  const filter = /required filter '?([^']*)'? is not registered/.exec(reason)?.[1];
  if (filter !== undefined) {
    return new DatasetError(
      "unknown-compression",
      `${where} is compressed by ${filter || "a filter without a name"}, which is not read here`,
      "Store it with gzip, by what reads that filter (h5py reads its own lzf): NEW.create_dataset(NAME, data=OLD[NAME][:], compression='gzip').",
    );
  }
  return new DatasetError(
    "unreadable",
    `${where}: rows ${from} to ${from + count - 1} can't be read: ${reason || "no reason given"}`,
    "The file is damaged there, or torn; copy or record it again.",
  );
}

function identityOf(path: string): string {
  const { dev, ino, size, mtimeMs } = statSync(path);
  return `${dev} ${ino} ${size} ${mtimeMs}`;
}

function changed(path: string): DatasetError {
  const message = `${path} was changed by somebody while it was being read`;
  return new DatasetError("changed", message, "Wait until it is whole, and start again.");
}
