import { DatasetError } from "./dataset-error.ts";
import { convert } from "./hdf5-numbers.ts";
import { type Asks, CROSSING } from "./hdf5-questions.ts";
import { ReadingThread } from "./reading-thread.ts";
import type { Numbers } from "./recorded-flights.ts";
import type { TableInfo } from "./table-info.ts";

/** Seconds of processor time for one question, and for opening a small file as a whole. */
export const PATIENCE = 5;
/** Times the patience of the first. */
const SECOND_TRY = 4;
/** Bytes in a second: far below what any file is opened with, and chunks are unpacked with. */
const [SLOWEST_OPENING, SLOWEST_UNPACKING] = [1 << 20, 16 << 20];
/** Bytes of a table that comes with its rows. */
const SMALL = 16_384;

let last = 0;

/**
 * A file of somebody's, opened for reading in a thread of its own: whatever is asked of it has an end. What is
 * asked when that thread was ended, because of this file or another, is asked of a new one.
 */
export class Hdf5File {
  readonly path: string;
  readonly bytes: number;
  readonly #number: number;
  readonly #chunkLimit: number;
  readonly #patience: number;
  readonly #identity: string;
  #thread: ReadingThread;
  #closed = false;
  /** While it is being opened: since when, and how much may be used for it. */
  #opening: { readonly since: NodeJS.CpuUsage; readonly seconds: number } | undefined;

  /**
   * @param options chunkLimit: bytes that one compressed chunk may unpack to; patience: seconds of processor time
   * @throws DatasetError
   */
  constructor(
    path: string,
    {
      chunkLimit,
      patience = PATIENCE,
    }: { readonly chunkLimit: number; readonly patience?: number },
  ) {
    last += 1;
    this.#number = last;
    this.#chunkLimit = chunkLimit;
    this.#patience = patience;
    this.path = path;
    this.#thread = readyThread(path);
    const since = process.cpuUsage();
    const { bytes, identity } = this.#open();
    this.bytes = bytes;
    this.#identity = identity;
    this.#opening = { since, seconds: patience + bytes / SLOWEST_OPENING };
  }

  /** From now on only single questions must come to an end. */
  opened(): void {
    this.#opening = undefined;
  }

  /** What a group holds, in the order of the file; `""` is the root. `undefined`: no such group. */
  names(group: string): readonly string[] | undefined {
    return this.#ask("names", group, { what: `what ${group || "the top"} holds` });
  }

  /** @throws DatasetError where a link stands there */
  kindOf(path: string): "group" | "table" | "other" | "none" {
    return this.#ask("kindOf", path, { what: path });
  }

  /** `undefined` where there is nothing. @throws DatasetError for a link, text, or what the file can't hold */
  table(path: string): TableInfo | undefined {
    return this.#ask("table", path, { what: path });
  }

  /** Several tables at once; small ones with their rows, which are then read from memory. */
  tables(
    paths: readonly string[],
    rows: "with-rows" | "without-rows",
  ): readonly (TableInfo | undefined)[] {
    const whole = rows === "with-rows" ? SMALL : 0;
    const what = `${paths[0]} and ${paths.length - 1} more`;
    return this.#ask("tables", { paths, whole }, { what, bytes: whole * paths.length });
  }

  /** A text or a number; `undefined` where there is none, or one too large to be meant. */
  attribute(path: string, name: string): string | number | boolean | undefined {
    return this.#ask("attribute", { path, name }, { what: `${name} of ${path || "the top"}` });
  }

  /** Copies rows, converted, into `into` from its element `at` on. @throws DatasetError */
  read(
    table: TableInfo,
    rows: { readonly from: number; readonly count: number },
    into: Numbers,
    at: number,
  ): void {
    const { stored, kind, width } = table;
    if (stored) {
      const from = rows.from * width * Number(kind[1]);
      convert(stored, kind, { from, count: rows.count * width, into, at });
      return;
    }
    const end = rows.from + rows.count;
    const most = piece(table);
    for (let from = rows.from; from < end; ) {
      const border = from - (from % most) + most;
      const count = Math.min(border, end) - from;
      this.#bring(table, { from, count }, { into, at: at + (from - rows.from) * table.width });
      from += count;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#thread.ended) return;
    const what = `${this.path}: closing it`;
    this.#thread.ask("close", undefined, { file: this.#number, seconds: this.#patience, what });
  }

  #bring(
    table: TableInfo,
    rows: { readonly from: number; readonly count: number },
    { into, at }: { readonly into: Numbers; readonly at: number },
  ): void {
    const elementBytes = Number(table.kind[1]);
    const what = `rows ${rows.from} to ${rows.from + rows.count - 1} of ${table.path}`;
    const unpacked = Math.max(rows.count, table.chunkRows) * table.width * elementBytes;
    const bytes = this.#ask("bring", { table, ...rows }, { what, bytes: unpacked });
    for (let from = 0; from < bytes; from += CROSSING) {
      if (from > 0) this.#ask("more", from, { what });
      const count = Math.min(CROSSING, bytes - from) / elementBytes;
      const target = { from: 0, count, into, at: at + from / elementBytes };
      convert(this.#thread.rows, table.kind, target);
    }
  }

  #ask<N extends keyof Asks>(
    name: N,
    argument: Asks[N][0],
    { what, bytes = 0 }: { readonly what: string; readonly bytes?: number },
  ): Asks[N][1] {
    if (this.#closed) {
      throw new DatasetError("closed", `${this.path} has been closed`, "Open it again.");
    }
    if (this.#thread.ended) {
      // What it would bring more of went with the thread.
      if (name === "more") throw endedMeanwhile(this.path, what);
      this.#revive();
    }
    const allowed = this.#patience + bytes / SLOWEST_UNPACKING;
    const seconds = Math.min(allowed, this.#leftForOpening());
    const options = { file: this.#number, seconds, what: `${this.path}: reading ${what}` };
    try {
      return this.#thread.ask(name, argument, options);
    } catch (error) {
      if (!this.#mayBeAskedAgain(name, error)) throw error;
    }
    this.#revive();
    return this.#thread.ask(name, argument, { ...options, seconds: SECOND_TRY * seconds });
  }

  /** A file that was opened whole once gets a second try: a machine that stalls must not end a run of days. */
  #mayBeAskedAgain(name: keyof Asks, error: unknown): boolean {
    if (!(error instanceof DatasetError && /^end(less|ed)$/.test(error.code))) return false;
    // What `more` asks for went with the thread.
    return this.#opening === undefined && name !== "more";
  }

  #revive(): void {
    this.#thread = readyThread(this.path);
    this.#open(this.#identity);
  }

  #open(identity?: string): Asks["open"][1] {
    const order = { path: this.path, chunkLimit: this.#chunkLimit };
    const what = `${this.path}: opening it`;
    const options = { file: this.#number, seconds: this.#patience, what };
    return this.#thread.ask("open", { ...order, ...(identity && { identity }) }, options);
  }

  /** @throws DatasetError where nothing is left */
  #leftForOpening(): number {
    if (this.#opening === undefined) return Number.POSITIVE_INFINITY;
    const { since, seconds } = this.#opening;
    const { user, system } = process.cpuUsage(since);
    const left = seconds - (user + system) / 1e6;
    if (left > 0) return left;
    throw new DatasetError(
      "endless",
      `${this.path}: opening it took more than ${seconds.toFixed(0)} s of processor time; it has ${this.bytes} bytes`,
      "It is damaged, or made to mislead: copy, download or record it again.",
    );
  }
}

function endedMeanwhile(path: string, what: string): DatasetError {
  const message = `${path}: the thread that read ${what} ended in the midst of it`;
  return new DatasetError(
    "ended",
    message,
    "Read it again; where that fails too, the file is damaged.",
  );
}

/** One that has loaded the library: that is no file's fault, and may be tried again. */
function readyThread(path: string, tries = 3): ReadingThread {
  const thread = ReadingThread.current();
  const what = `${path}: loading HDF5's library to read it`;
  try {
    thread.ask("close", undefined, { file: 0, seconds: 60, what });
    return thread;
  } catch (error) {
    if (tries === 1 || (error as DatasetError).code !== "ended") throw error;
    return readyThread(path, tries - 1);
  }
}

/** Rows of one read: whole chunks, which are unpacked each time they are touched. */
function piece({ width, kind, chunkRows }: TableInfo): number {
  const fit = Math.max(1, Math.floor(CROSSING / (width * Number(kind[1]))));
  return fit > chunkRows ? fit - (fit % chunkRows) : chunkRows;
}
