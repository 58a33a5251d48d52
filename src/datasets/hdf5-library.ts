import type { h5wasm, Metadata } from "h5wasm/node";
import { wordsOf } from "../../protocol/visible.ts";

/** The package's classes, and the C library below them. */
export interface Hdf5 {
  readonly classes: typeof h5wasm;
  readonly library: Library;
}
export type Library = Awaited<typeof h5wasm.ready>;
export type { Metadata };

/** What the C library said on its error output while it was called, and which files it was kept from. */
export interface Overheard {
  readonly reason: string;
  readonly refused: readonly string[];
}

type Files = Record<"open" | "write", (...args: unknown[]) => unknown> & {
  readonly ErrnoError: new (errno: number) => Error;
};
/** Emscripten's number for "no such file"; only its own errors come back to the C code as such. */
const ENOENT = 44;
/** Of WebAssembly's memory. */
const PAGE = 65_536;
interface Stream {
  readonly nfd?: number;
}

let loaded: Promise<Hdf5> | undefined;
let allowed: string | undefined;
let said: string[] = [];
let broken = false;
let refused: string[] = [];

/** HDF5's C library, loaded once per process, when the first file is opened: it takes 60 MB. */
export function hdf5(): Promise<Hdf5> {
  loaded ??= load();
  return loaded;
}

/** The package takes `console.error` along while it starts, for warnings about texts that are none. */
async function load(): Promise<Hdf5> {
  const print = console.error;
  const printOutside = (...args: unknown[]) => {
    if (allowed === undefined) print(...args);
  };
  console.error = printOutside;
  try {
    const { default: classes } = await import("h5wasm/node");
    const library = await classes.ready;
    fence(library.FS as unknown as Files);
    return { classes, library };
  } finally {
    if (console.error === printOutside) console.error = print;
  }
}

/** Bytes that the library of this thread may take at the most; what asks for more finds no memory. */
let most = Number.POSITIVE_INFINITY;

interface WasmMemory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}

/** Of this thread alone, and for good: only for one in which nothing else is done. */
export function keepWithin(bytes: number): void {
  const isKept = most < Number.POSITIVE_INFINITY;
  most = isKept ? Math.max(most, bytes) : bytes;
  if (isKept) return;
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: { Memory: { prototype: WasmMemory } };
  };
  const { grow } = WebAssembly.Memory.prototype;
  WebAssembly.Memory.prototype.grow = function (this: WasmMemory, pages: number) {
    if (this.buffer.byteLength + pages * PAGE > most) throw new RangeError("no memory");
    return grow.call(this, pages);
  };
}

/**
 * Calls the C library with one file open to it. External links, virtual data sets and external raw
 * data all end in opening another file: that is refused here, once for all three. What the library
 * prints is kept as the reason instead of falling into somebody's screen.
 */
export function inside<T>(path: string, call: () => T): readonly [T | undefined, Overheard] {
  allowed = path;
  said = [];
  refused = [];
  let result: T | undefined;
  let thrown = "";
  try {
    result = call();
  } catch (error) {
    thrown = wordsOf(error);
    noteTrap(error);
  } finally {
    allowed = undefined;
  }
  return [result, { reason: reasonOf(said.join("")) || thrown, refused }];
}

/**
 * Whether the C library of this thread gave up (`abort`, a trap, a stack without end) in the midst of its work: what
 * it holds in memory is not to be trusted any more, whichever file it is asked for.
 */
export function isBroken(): boolean {
  return broken;
}

/** True where that is why it was thrown. */
export function noteTrap(error: unknown): boolean {
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: { RuntimeError: new () => Error };
  };
  const isTrap = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
  broken ||= isTrap;
  return isTrap;
}

function fence(files: Files): void {
  const { open, write } = files;
  files.open = (...args) => {
    if (allowed !== undefined && args[0] !== allowed) {
      refused.push(String(args[0]));
      throw new files.ErrnoError(ENOENT);
    }
    return open(...args);
  };
  files.write = (...args) => {
    const [stream, buffer, offset, length] = args as [Stream, Uint8Array, number, number];
    if (allowed === undefined || stream.nfd !== 2) return write(...args);
    const from = buffer.byteOffset + offset;
    said.push(Buffer.from(buffer.buffer as ArrayBuffer, from, length).toString("latin1"));
    return length;
  };
}

/** The innermost line of the library's report is the cause: `truncated file: eof = 50000, …`. */
function reasonOf(report: string): string {
  const lines = report.split("\n").filter((line) => /^\s*#\d+:/.test(line));
  const filter = lines.find((line) => line.includes("required filter"));
  const last = filter ?? lines.at(-1) ?? "";
  return last.replace(/^.* in \w+\(\): /, "").trim();
}
