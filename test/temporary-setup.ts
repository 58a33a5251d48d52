import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const mark = "FIRSTSOLO_TESTS_FOLDER";

/**
 * All that tests leave lying is in one folder, which goes with them. Its name is short: sockets lie in it. Called
 * for each project, the first makes it.
 */
export default function setup(): () => void {
  const { env } = process;
  if (env[mark] !== undefined) return () => {};
  const [before, folder] = [env.TMPDIR, mkdtempSync(join(tmpdir(), "fs-"))];
  Object.assign(env, { TMPDIR: folder, [mark]: folder });
  return () => {
    delete env[mark];
    if (before === undefined) delete env.TMPDIR;
    else env.TMPDIR = before;
    rmSync(folder, { recursive: true, force: true });
  };
}
