import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readlink, rename, rm, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { putWhole, putWholeSync } from "../../disk/whole-file.ts";
import type { Engine } from "../engine.ts";
import { ADDON, QUIET } from "./addon.ts";
import { sha256OfFile } from "./cache.ts";
import type { Flavour } from "./host.ts";
import { withLock } from "./lock.ts";
import { linkLibraries, type NativeLibrary } from "./native-library.ts";
import { readJson } from "./package-paths.ts";

/** What lies in the package, written after everything it speaks of. */
export interface Installed {
  readonly source: NonNullable<Engine["source"]>;
  readonly flavour: Flavour;
  /** What the library called itself when it was tried. */
  readonly version: string;
  /** The library's folder in the cache, or the one the user named. */
  readonly from: string;
  /** What the user named when it was installed. */
  readonly asked: string;
}

export const ADDON_FOLDER = join("lib", "napi-v8");
const NOTE = join("deps", "firstsolo.json");

/** The note of the last install, where what it speaks of still lies there. */
export async function readInstalled(packageFolder: string): Promise<Installed | undefined> {
  const note = readJson(join(packageFolder, NOTE)) as Partial<Installed>;
  if (note.source === undefined || note.version === undefined) return undefined;
  const addon = await stat(join(packageFolder, ADDON_FOLDER, ADDON)).catch(() => undefined);
  if (addon === undefined) return undefined;
  if (note.source !== "prebuilt") {
    for (const name of ["libtensorflow.so", "libtensorflow.dylib"]) {
      const path = join(packageFolder, "deps", "lib", name);
      // existsSync follows links: a link into a cache that is gone does not count.
      if (existsSync(path)) return note as Installed;
    }
    return undefined;
  }
  return note as Installed;
}

export async function writeInstalled(packageFolder: string, note: Installed): Promise<void> {
  const path = join(packageFolder, NOTE);
  await mkdir(join(packageFolder, "deps"), { recursive: true });
  putWholeSync(path, `${JSON.stringify(note, null, 1)}\n`);
}

/** Holds off a second install into the same package folder. */
export function withPackageLock<T>(
  cache: string,
  packageFolder: string,
  body: () => Promise<T>,
): Promise<T> {
  const key = createHash("sha256").update(packageFolder).digest("hex").slice(0, 16);
  return withLock(join(cache, `package-${key}.lock`), body);
}

/**
 * Puts library and addon where the package looks for them: `deps/lib`, `lib/napi-v8`. The addon is
 * copied, since it finds the library from where it lies; the library is linked, since it is large.
 * CUDA's libraries are found from the library's own run path, `../nvidia/…` from where it was opened.
 */
export async function linkIntoPackage(
  packageFolder: string,
  library: NativeLibrary,
  addon: string,
): Promise<void> {
  const fresh = join(packageFolder, `.deps-${process.pid}`);
  await rm(fresh, { recursive: true, force: true });
  await linkLibraries(library, join(fresh, "lib"));
  if (library.nvidia !== undefined) await symlink(library.nvidia, join(fresh, "nvidia"));
  const deps = join(packageFolder, "deps");
  await rm(deps, { recursive: true, force: true });
  await rename(fresh, deps);
  const folder = join(packageFolder, ADDON_FOLDER);
  await mkdir(folder, { recursive: true });
  for (const name of [ADDON, QUIET]) {
    const target = join(folder, name);
    if (!existsSync(join(addon, name))) continue;
    // A new file and a rename: a running program keeps the one that it has open.
    await putWhole(target, (draft) => copyFile(join(addon, name), draft));
  }
}

export async function removeAddon(packageFolder: string): Promise<void> {
  await rm(join(packageFolder, ADDON_FOLDER, ADDON), { force: true });
}

/** Whether `deps/lib` leads to that library already, and both addons are those. */
export async function leadsTo(
  packageFolder: string,
  library: NativeLibrary,
  addon: string,
): Promise<boolean> {
  const links = await Promise.all(
    library.files.map((file) =>
      readlink(join(packageFolder, "deps", "lib", file.split("/").at(-1)!)).then(
        (target) => target === file,
        () => false,
      ),
    ),
  );
  if (links.length === 0 || !links.every(Boolean)) return false;
  const same = [ADDON, QUIET].map(async (name) => {
    if (!existsSync(join(addon, name))) return true;
    const lies = join(packageFolder, ADDON_FOLDER, name);
    return (
      existsSync(lies) && (await sha256OfFile(join(addon, name))) === (await sha256OfFile(lies))
    );
  });
  return (await Promise.all(same)).every(Boolean);
}
