import {
  existsSync,
  lstatSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { makeFolder } from "../disk/make-folder.ts";
import { DatasetError } from "./dataset-error.ts";
import { METADATA } from "./minari-metadata.ts";
import { MAIN_DATA } from "./open-flights.ts";

/**
 * Where recorded flights go, under another name until they are whole.
 *
 * A name that ends in .hdf5 or .h5 is one file, and beside it `NAME.minari/`, a folder that the package
 * Minari opens: its metadata, and a link to the file. Any other name is such a folder itself.
 */
export class FlightPlace {
  /** The file to write into. */
  readonly draft: string;
  readonly path: string;
  readonly #isFile: boolean;
  readonly #draftFolder: string | undefined;

  /** @throws DatasetError where something is there already, or nothing can be written */
  constructor(path: string, existing: "refuse" | "replace") {
    this.path = resolve(path);
    this.#isFile = /\.(hdf5|h5)$/i.test(path);
    if (existsSync(this.path)) checkReplaceable(this.path, this.#isFile, existing);
    const hidden = join(dirname(this.path), `.${basename(this.path)}.${process.pid}.tmp`);
    try {
      makeFolder(this.#isFile ? dirname(hidden) : hidden);
    } catch (cause) {
      throw notWritable(path, cause as Error, "no-place");
    }
    if (this.#isFile) checkLink(join(this.minariFolder, MAIN_DATA));
    this.#draftFolder = this.#isFile ? undefined : hidden;
    this.draft = this.#isFile ? hidden : join(hidden, MAIN_DATA);
  }

  /** The folder that Minari opens. */
  get minariFolder(): string {
    return this.#isFile ? `${this.path.replace(/\.(hdf5|h5)$/i, "")}.minari` : this.path;
  }

  /** A name as Minari asks for: letters, digits, `-`, `_` and a version. */
  get datasetId(): string {
    const own = basename(this.path.replace(/\.(hdf5|h5)$/i, ""));
    const name = own === "data" ? basename(dirname(this.path)) : own;
    const plain = name.replace(/[^-\w]/g, "-");
    return /^[-\w]+-v\d+$/.test(plain) ? plain : `${plain || "flights"}-v0`;
  }

  /** Puts the closed draft in its place. */
  settle(metadata: string): void {
    try {
      if (this.#draftFolder === undefined) this.#settleFile(metadata);
      else this.#settleFolder(this.#draftFolder, metadata);
    } catch (cause) {
      throw notWritable(this.path, cause as Error);
    }
  }

  abandon(): void {
    rmSync(this.#draftFolder ?? this.draft, { recursive: true, force: true });
  }

  #settleFile(metadata: string): void {
    renameSync(this.draft, this.path);
    const folder = this.minariFolder;
    makeFolder(folder);
    const link = join(folder, MAIN_DATA);
    rmSync(link, { force: true });
    symlinkSync(join("..", basename(this.path)), link);
    writeFileSync(join(folder, METADATA), metadata);
  }

  #settleFolder(draft: string, metadata: string): void {
    writeFileSync(join(draft, METADATA), metadata);
    if (existsSync(this.path)) rmSync(this.path, { recursive: true });
    renameSync(draft, this.path);
  }
}

/** Only what looks like recorded flights is ever replaced. */
function checkReplaceable(path: string, isFile: boolean, existing: "refuse" | "replace"): void {
  const ours = isFile ? statSync(path).isFile() : isFlightFolder(path);
  if (existing === "replace" && ours) return;
  throw new DatasetError(
    "exists",
    `${path} is there already${ours ? "" : ` and is not ${isFile ? "a file" : "a folder of recorded flights"}`}`,
    ours ? "Choose another name, or allow it to be replaced." : "Choose another name.",
  );
}

/** A data set of its own where our link would go is somebody's. */
function checkLink(path: string): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined || there.isSymbolicLink()) return;
  const message = `${path} is there already, and no link to recorded flights`;
  throw new DatasetError("exists", message, "Choose another name.");
}

function isFlightFolder(path: string): boolean {
  if (!statSync(path).isDirectory()) return false;
  return readdirSync(path).every((name) => name === MAIN_DATA || name === METADATA);
}

/** @param code `no-place` before anything was flown: the wrong name was given */
function notWritable(
  path: string,
  cause: Error,
  code: "not-writable" | "no-place" = "not-writable",
): DatasetError {
  const hint = "Check that the folder is there and may be written, or choose another with -o.";
  const message = `${path} can't be written: ${cause.message}`;
  return new DatasetError(code, message, hint, { cause });
}
