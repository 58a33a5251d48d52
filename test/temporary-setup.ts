import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let folder: string | undefined;

/** All that tests leave lying is in one folder, which goes with them. Its name is short: sockets lie in it. */
export default function setup(): () => void {
  const before = process.env.TMPDIR;
  folder ??= mkdtempSync(join(tmpdir(), "fs-"));
  process.env.TMPDIR = folder;
  return () => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    rmSync(folder!, { recursive: true, force: true });
  };
}
