import { DatasetError } from "./dataset-error.ts";
import type { Hdf5File } from "./hdf5-file.ts";
import { keptAs } from "./hdf5-numbers.ts";
import type { Numbers } from "./recorded-flights.ts";
import type { TableInfo } from "./table-info.ts";

/** A run of rows of one table that was read ahead. */
interface Block {
  readonly from: number;
  readonly count: number;
  readonly data: Float32Array | Uint8Array | Float64Array;
}

/** Rows of a table, and how wide they must be. */
export interface TableRows {
  readonly from: number;
  readonly count: number;
  readonly width: number;
}

const TABLES_REMEMBERED = 1024;

/**
 * Rows of tables by path. Short pieces are cut from a block that was read ahead and is kept, one for
 * each table, so that going through a flat file costs one look per block; the blocks together stay
 * within `cacheBytes`.
 */
export class RowReader {
  readonly file: Hdf5File;
  readonly #blockBytes: number;
  readonly #cacheBytes: number;
  readonly #tables = new Map<string, TableInfo>();
  readonly #blocks = new Map<string, Block>();
  #cached = 0;

  constructor(file: Hdf5File, cacheBytes: number) {
    this.file = file;
    this.#cacheBytes = cacheBytes;
    this.#blockBytes = Math.max(1 << 16, Math.min(1 << 20, cacheBytes >> 4));
  }

  /** @throws DatasetError where it is missing */
  table(path: string): TableInfo {
    const known = this.#tables.get(path);
    if (known) return known;
    const table = this.file.table(path);
    if (!table) throw this.#missing(path);
    this.#remember(table);
    return table;
  }

  #remember(table: TableInfo): void {
    if (this.#tables.size >= TABLES_REMEMBERED) {
      this.#tables.delete(this.#tables.keys().next().value as string);
    }
    this.#tables.set(table.path, table);
  }

  /**
   * Looks at tables that will be asked for, all at once: one by one it takes longer than reading them.
   *
   * @param paths at most some hundreds
   */
  expect(paths: readonly string[], rows: "with-rows" | "without-rows"): void {
    for (const table of this.file.tables(paths, rows)) if (table) this.#remember(table);
  }

  /** Copies rows into `into` from its element `at` on. @throws DatasetError for wrong widths and lengths */
  read(path: string, rows: TableRows, into: Numbers, at: number): void {
    const table = this.table(path);
    this.#check(table, rows);
    const { width } = rows;
    const ahead = this.#ahead(table);
    if (rows.count >= ahead || rows.count === table.rows || table.stored) {
      this.file.read(table, rows, into, at);
      return;
    }
    for (let from = rows.from; from < rows.from + rows.count; ) {
      const block = this.#block(table, from, { ahead, exact: into instanceof Float64Array });
      const end = Math.min(block.from + block.count, rows.from + rows.count);
      const found = block.data.subarray((from - block.from) * width, (end - block.from) * width);
      into.set(found, at + (from - rows.from) * width);
      from = end;
    }
  }

  #ahead({ width, kind, chunkRows }: TableInfo): number {
    const fit = Math.max(1, Math.floor(this.#blockBytes / (width * Number(kind[1]))));
    return fit > chunkRows ? fit - (fit % chunkRows) : chunkRows;
  }

  #block(table: TableInfo, row: number, how: { ahead: number; exact: boolean }): Block {
    const key = how.exact ? `${table.path} exact` : table.path;
    const known = this.#blocks.get(key);
    if (known && row >= known.from && row < known.from + known.count) return known;
    if (known) this.#forget(key, known);
    // Memory outside the heap is given back late; a block's is used again.
    const spare = known?.data;
    const from = row - (row % how.ahead);
    const count = Math.min(how.ahead, table.rows - from);
    const kept = how.exact ? "float64" : keptAs(table.kind, table.isBool);
    const Kept = { float64: Float64Array, float32: Float32Array, uint8: Uint8Array }[kept];
    const size = how.ahead * table.width;
    const data =
      spare?.length === size ? spare : new Kept(Math.min(size, table.rows * table.width));
    const block = { from, count, data };
    this.file.read(table, block, block.data, 0);
    this.#cached += block.data.byteLength;
    this.#blocks.set(key, block);
    for (const [old, other] of this.#blocks) {
      if (this.#cached <= this.#cacheBytes || other === block) break;
      this.#forget(old, other);
    }
    return block;
  }

  #forget(key: string, block: Block): void {
    this.#blocks.delete(key);
    this.#cached -= block.data.byteLength;
  }

  #check(table: TableInfo, { from, count, width }: TableRows): void {
    const where = `${this.file.path}: ${table.path}`;
    if (table.width !== width) {
      throw new DatasetError(
        "wrong-width",
        `${where} has rows of ${table.width} numbers, expected ${width}, as where it was seen first`,
        "All episodes of a file must come from the same task; record it again or cut it out.",
      );
    }
    if (from + count <= table.rows) return;
    throw new DatasetError(
      "lengths-disagree",
      `${where} has ${table.rows} rows, expected ${from + count} or more`,
      "Arrays of an episode must have a row for each step; record it again or cut it out.",
    );
  }

  #missing(path: string): DatasetError {
    const cut = path.lastIndexOf("/");
    const group = cut < 0 ? "" : path.slice(0, cut);
    const there = this.file.names(group);
    return missingTable(this.file.path, path, there ?? []);
  }
}

export function missingTable(file: string, path: string, there: readonly string[]): DatasetError {
  const cut = path.lastIndexOf("/");
  const where = cut < 0 ? "at the top" : `in ${path.slice(0, cut)}`;
  return new DatasetError(
    "missing-array",
    `${file} has no ${path}; ${where}: ${listed(there)}`,
    "Give a file that holds it, or name its layout with --dataset_format.",
  );
}

/** At most twenty names. */
export function listed(names: readonly string[]): string {
  if (names.length === 0) return "nothing";
  const more = names.length > 20 ? ` … (${names.length} in all)` : "";
  return names.slice(0, 20).join(", ") + more;
}
