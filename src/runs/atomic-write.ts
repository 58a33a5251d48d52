import { open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { RunError } from "./run-error.ts";

/**
 * Puts a file in place whole or not at all, also when the power goes: written beside it, flushed to
 * the disk, renamed. The name of the file beside it starts with a dot, so that no pattern for
 * checkpoints finds it. @throws RunError
 */
export async function writeAtomically(path: string, data: Uint8Array | string): Promise<void> {
  const folder = dirname(path);
  const draft = join(folder, `.${basename(path)}.${process.pid}.tmp`);
  try {
    const file = await open(draft, "w");
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    await flushFolder(folder);
  } catch (cause) {
    await unlink(draft).catch(() => undefined);
    throw writeError(path, data.length, cause as NodeJS.ErrnoException);
  }
}

/** Makes the rename itself last; some file systems can't flush a folder, and lose nothing by it. */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

export function writeError(path: string, size: number, cause: NodeJS.ErrnoException): RunError {
  const what = size === 0 ? path : `${path} (${size} bytes)`;
  if (cause.code === "ENOSPC" || cause.code === "EDQUOT" || cause.code === "EFBIG") {
    const hint = "Free some space and go on with --resume; what was saved before is whole.";
    return new RunError("disk-full", `No space left for ${what}`, hint, { cause });
  }
  const hint =
    "Check that the folder is there and may be written, or choose another with log_root.";
  const message = `${what} can't be written: ${cause.message}`;
  return new RunError("not-writable", message, hint, { cause });
}
