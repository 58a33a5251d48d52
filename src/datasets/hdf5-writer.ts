import { closeSync, fsyncSync, openSync, rmSync } from "node:fs";
import type { Dtype } from "../../protocol/spec.ts";
import { DatasetError } from "./dataset-error.ts";
import { MARKED, markBooleans, marked } from "./hdf5-booleans.ts";
import { type Hdf5, hdf5, inside } from "./hdf5-library.ts";

/** Rows for a table; `shape` is one row's. `bool` are bytes of 0 and 1. */
export interface TableRows {
  readonly dtype: Dtype | "bool";
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array | Int32Array;
}

export interface StoreOptions {
  readonly compression: "none" | "gzip";
  /** More rows will follow. */
  readonly grows: boolean;
}

const TYPES = { "<f4": "<f", "|u1": "<B", "<i4": "<i", bool: MARKED } as const;
/** The oldest forms of everything: whoever reads HDF5 reads it, and booleans need it. */
const FORM = { libver: ["earliest", "latest"] } as { libver: ["earliest", "latest"] };
/** The library keeps what it wrote of every group; a fresh look at the file lets go of it. */
const CALLS_PER_LOOK = 512;
const CHUNK_BYTES = 1 << 16;

/** An HDF5 file being written. Whatever the library complains about is an error here. */
export class Hdf5Writer {
  readonly path: string;
  readonly #classes: Hdf5["classes"];
  readonly #library: Hdf5["library"];
  #file: InstanceType<Hdf5["classes"]["File"]>;
  #calls = 0;
  #booleans = 0;

  /** @throws DatasetError */
  static async create(path: string): Promise<Hdf5Writer> {
    return new Hdf5Writer(await hdf5(), path);
  }

  private constructor({ classes, library }: Hdf5, path: string) {
    this.path = path;
    this.#classes = classes;
    this.#library = library;
    this.#file = this.#try("be created", () => new this.#classes.File(path, "w", FORM));
  }

  group(path: string): void {
    this.#try(`take ${path}`, () => this.#file.create_group(path));
  }

  /** Makes a table with its first rows. */
  table(path: string, rows: TableRows, { compression, grows }: StoreOptions): void {
    const width = rows.shape.reduce((product, size) => product * size, 1);
    const count = rows.data.length / width;
    const fit = Math.max(1, Math.floor(CHUNK_BYTES / (width * rows.data.BYTES_PER_ELEMENT)));
    const chunks = [grows ? fit : Math.min(fit, count), ...rows.shape];
    if (rows.dtype === "bool") this.#booleans += 1;
    this.#try(`take ${path}`, () =>
      this.#file.create_dataset({
        name: path,
        data: dataOf(rows),
        shape: [count, ...rows.shape],
        dtype: TYPES[rows.dtype] as string,
        ...(grows && { maxshape: [null, ...rows.shape] }),
        ...((grows || compression === "gzip") && { chunks }),
        ...(compression === "gzip" && { compression: "gzip" as const, compression_opts: 4 }),
      }),
    );
  }

  /** Adds rows to a table that grows. */
  append(path: string, rows: TableRows): void {
    const width = rows.shape.reduce((product, size) => product * size, 1);
    const more = rows.data.length / width;
    this.#try(`take more of ${path}`, () => {
      const table = new this.#classes.Dataset(this.#file.file_id, `/${path}`);
      const [before = 0] = table.shape ?? [];
      table.resize([before + more, ...rows.shape]);
      table.write_slice([[before, before + more], ...rows.shape.map(() => [] as [])], dataOf(rows));
    });
  }

  attribute(path: string, name: string, value: string | number): void {
    this.#try(`take ${name}`, () => {
      const group = new this.#classes.Group(this.#file.file_id, path === "" ? "/" : path);
      if (typeof value === "string") group.create_attribute(name, value);
      else group.create_attribute(name, value, null, Number.isInteger(value) ? "<i" : "<d");
    });
  }

  /** Closes the file and sees it to the disk. */
  close(): void {
    this.#try("be closed", () => this.#file.close());
    const made = markBooleans(this.path);
    if (made !== this.#booleans) {
      const message = `${this.path} has ${made} tables of flags, expected ${this.#booleans}`;
      throw new DatasetError("not-writable", message, "Check the disk it is on, and record again.");
    }
    const file = openSync(this.path, "r");
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  /** Closes and deletes it. */
  abandon(): void {
    inside(this.path, () => this.#library.close_file(this.#file.file_id));
    rmSync(this.path, { force: true });
  }

  #try<T>(what: string, call: () => T): T {
    this.#calls += 1;
    if (this.#calls % CALLS_PER_LOOK === 0) this.#look();
    const [result, { reason }] = inside(this.path, call);
    if (reason === "") return result as T;
    const full = /No space left|File too large|quota/i.test(reason);
    throw new DatasetError(
      full ? "disk-full" : "not-writable",
      `${this.path} can't ${what}: ${reason}`,
      full
        ? "Free some space and record again; what was recorded before is elsewhere and whole."
        : "Check that the folder is there and may be written, or choose another with -o.",
    );
  }

  #look(): void {
    const [, { reason }] = inside(this.path, () => {
      this.#file.close();
      this.#file = new this.#classes.File(this.path, "a", FORM);
    });
    if (reason === "") return;
    const hint = "Check the disk it is on, and record again.";
    throw new DatasetError("not-writable", `${this.path} can't be gone on with: ${reason}`, hint);
  }
}

function dataOf({ dtype, data }: TableRows): TableRows["data"] | Map<string, Uint8Array> {
  return dtype === "bool" ? marked(data as Uint8Array) : data;
}
