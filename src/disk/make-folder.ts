import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * A folder with those it is in, as far as they are missing. Not `mkdir`'s own `recursive`: on a file
 * system that refuses with ENOENT (`/proc`) it never returns.
 *
 * @param mode of the last one
 * @throws what the system says, with its `code`
 */
export function makeFolder(path: string, mode = 0o777): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, mode);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EEXIST" || !statSync(path).isDirectory()) throw error;
  }
}
