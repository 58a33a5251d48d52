import { renameSync, rmSync, writeFileSync } from "node:fs";
import { open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Puts a file in place whole or not at all: written beside it, then renamed, so that whoever reads at the same
 * time sees the old content or the new. Throws what the file system throws; the old file is then what it was.
 *
 * @param fill writes the draft at the path that it is given
 */
export async function putWhole(
  path: string,
  fill: (draft: string) => Promise<void>,
): Promise<void> {
  const draft = draftOf(path);
  try {
    // One of an earlier process of our number; what else is there, e.g. a link, is not written through.
    await rm(draft, { force: true });
    await fill(draft);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** The same for a small content, at once. @param mode of the file, e.g. 0o600 */
export function putWholeSync(path: string, content: string, mode = 0o666): void {
  const draft = draftOf(path);
  try {
    rmSync(draft, { force: true });
    writeFileSync(draft, content, { mode, flag: "wx" });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/**
 * The same, and it stays so when the power goes: content and name are flushed to the disk. What lies there is
 * read back before it takes the old one's place.
 *
 * @param mode of the file, e.g. 0o600
 * @throws Error with code `EIO` when it reads back as something else
 */
export async function putWholeForGood(
  path: string,
  data: Uint8Array | string,
  mode = 0o666,
): Promise<void> {
  await putWhole(path, async (draft) => {
    const file = await open(draft, "wx", mode);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    if (Buffer.from(data).equals(await readFile(draft))) return;
    throw Object.assign(new Error("EIO: what was written reads back as something else"), {
      code: "EIO",
    });
  });
  await flushFolder(dirname(path));
}

/** Makes the rename itself last; some file systems can't flush a folder, and lose nothing by it. */
export async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/** Starts with a dot, so that no pattern for checkpoints finds it. */
function draftOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
}
