import { makeFolder } from "../disk/make-folder.ts";
import { writeError } from "./atomic-write.ts";

/**
 * A folder with those it is in, as far as they are missing. @param mode of the last one
 * @throws RunError `not-writable`, `disk-full`
 */
export function makeFolders(path: string, mode = 0o777): void {
  try {
    makeFolder(path, mode);
  } catch (cause) {
    throw writeError(path, 0, cause as NodeJS.ErrnoException);
  }
}
