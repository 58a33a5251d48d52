import { createHash } from "node:crypto";
import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { EngineError } from "../engine-error.ts";
import type { Flavour } from "./host.ts";

/** A TensorFlow on disk that an addon can be built against and linked to. */
export interface NativeLibrary {
  readonly source: "environment" | "wheel";
  readonly flavour: Flavour;
  /** Holds `tensorflow/c/c_api.h`. */
  readonly include: string;
  /** Absolute paths of the shared libraries. */
  readonly files: readonly string[];
  /** The folder `nvidia` of CUDA's libraries, beside `tensorflow`, where there is one. */
  readonly nvidia?: string;
  /** Changes when the library does. */
  readonly identity: string;
}

const LIBRARY = /^libtensorflow(_cc|_framework)?\.(so|dylib|\d)[.\d]*(so|dylib)?$/;

/**
 * Reads a folder as a TensorFlow: a wheel's `tensorflow` (libraries beside `include`), or a C
 * distribution (`lib` and `include`). Throws an EngineError that says what is not there.
 */
export function libraryIn(
  path: string,
  made: { readonly source: NativeLibrary["source"]; readonly identity?: string },
): NativeLibrary {
  const folder = resolve(path);
  const refuse = (what: string) =>
    new EngineError(
      "bad-tensorflow-path",
      `${folder} is no TensorFlow: ${what}`,
      "Point FIRSTSOLO_TENSORFLOW at the folder `tensorflow` of a site-packages, or at a libtensorflow distribution with include/ and lib/.",
    );
  if (!existsSync(folder)) throw refuse("no such folder");
  if (!statSync(folder).isDirectory()) throw refuse("a file, not a folder");
  const include = join(folder, "include");
  if (!existsSync(join(include, "tensorflow", "c", "c_api.h"))) {
    throw refuse("no include/tensorflow/c/c_api.h");
  }
  const files = [folder, join(folder, "lib")]
    .filter((at) => existsSync(at))
    .flatMap((at) => readdirSync(at).map((name) => join(at, name)))
    .filter((file) => LIBRARY.test(basename(file)));
  if (mainLibrary(files) === undefined) throw refuse("no libtensorflow or libtensorflow_cc in it");
  const nvidia = join(dirname(realpathSync(folder)), "nvidia");
  const cuda = existsSync(nvidia);
  return {
    source: made.source,
    flavour: cuda ? "cuda" : "cpu",
    include,
    files,
    ...(cuda ? { nvidia } : {}),
    identity: made.identity ?? identityOf(files),
  };
}

/** The library with the C API: `libtensorflow_cc` in a wheel, `libtensorflow` in a C distribution. */
function mainLibrary(files: readonly string[]): string | undefined {
  return pick(files, "libtensorflow_cc.") ?? pick(files, "libtensorflow.");
}

/** The shortest versioned name, which is the one that is asked for when the addon loads. */
function pick(files: readonly string[], prefix: string): string | undefined {
  const named = files.filter((file) => basename(file).startsWith(prefix));
  named.sort(
    (a, b) => Number(/2/.test(basename(b))) - Number(/2/.test(basename(a))) || a.length - b.length,
  );
  return named[0];
}

function identityOf(files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) {
    const found = statSync(file);
    hash.update(`${realpathSync(file)} ${found.size} ${found.mtimeMs}\n`);
  }
  return hash.digest("hex");
}

/**
 * Fills `folder` with links to the libraries under the names that the linker and the loader ask for.
 * CUDA's libraries are searched for at `../nvidia` from here: see `linkIntoPackage`.
 */
export async function linkLibraries(library: NativeLibrary, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const names = new Set<string>();
  const link = async (target: string, name: string) => {
    if (names.has(name)) return;
    names.add(name);
    await symlink(target, join(folder, name));
  };
  for (const file of library.files) await link(file, basename(file));
  const extension = library.files.some((file) => file.endsWith(".dylib")) ? "dylib" : "so";
  const main = mainLibrary(library.files);
  const framework = pick(library.files, "libtensorflow_framework.");
  if (main) await link(basename(main), `libtensorflow.${extension}`);
  if (framework) await link(basename(framework), `libtensorflow_framework.${extension}`);
}
