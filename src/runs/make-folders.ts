import { statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { writeError } from "./atomic-write.ts";

/**
 * A folder with those it is in, as far as they are missing. @param mode of the last one
 * @throws RunError `not-writable`, `disk-full`
 */
export async function makeFolders(path: string, mode = 0o777): Promise<void> {
  try {
    await make(path, mode);
  } catch (cause) {
    throw writeError(path, 0, cause as NodeJS.ErrnoException);
  }
}

/** Not `mkdir`'s own `recursive`: on a file system that refuses with ENOENT (`/proc`) it never returns. */
async function make(path: string, mode: number): Promise<void> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) await make(dirname(path), 0o777);
  await mkdir(path, mode).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST" || !statSync(path).isDirectory()) throw error;
  });
}
