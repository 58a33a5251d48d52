import { putWholeForGood } from "../disk/whole-file.ts";
import { RunError } from "./run-error.ts";

/**
 * Puts a file in place whole or not at all, also when the power goes.
 *
 * @param mode of the file. Default: as the user's mask has it
 * @throws RunError `disk-full`, `too-many-files`, `not-writable`
 */
export async function writeAtomically(
  path: string,
  data: Uint8Array | string,
  mode?: number,
): Promise<void> {
  try {
    await putWholeForGood(path, data, mode);
  } catch (cause) {
    throw writeError(path, data.length, cause as NodeJS.ErrnoException);
  }
}

export function writeError(path: string, size: number, cause: NodeJS.ErrnoException): RunError {
  const what = size === 0 ? path : `${path} (${size} bytes)`;
  if (cause.code === "ENOSPC" || cause.code === "EDQUOT" || cause.code === "EFBIG") {
    const hint = "Free some space and go on with --resume; what was saved before is whole.";
    return new RunError("disk-full", `No space left for ${what}`, hint, { cause });
  }
  if (cause.code === "EMFILE" || cause.code === "ENFILE") {
    const hint = "Allow more: ulimit -n 1024 in the shell that starts it.";
    const message = `${what} can't be written: too many files are open`;
    return new RunError("too-many-files", message, hint, { cause });
  }
  const hint =
    "Check that the folder is there and may be written, or choose another with log_root.";
  const message = `${what} can't be written: ${cause.message}`;
  return new RunError("not-writable", message, hint, { cause });
}
