import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sourcesOf, transpiled } from "./transpiled.ts";

const repository = join(import.meta.dirname, "..");

/**
 * The sources of these rooms as they stand, compiled into a new folder laid out as the package is, with these files
 * beside them, for processes that a test starts. Gives the folder; who asked removes it.
 */
export function layOut(rooms: readonly string[], besides: readonly string[]): string {
  const root = mkdtempSync(join(tmpdir(), "firstsolo-compiled-"));
  symlinkSync(join(repository, "node_modules"), join(root, "node_modules"));
  for (const path of rooms.flatMap(sourcesOf)) compile(path, root);
  for (const path of ["package.json", ...besides]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(join(repository, path), join(root, path));
  }
  return root;
}

function compile(path: string, root: string): void {
  const target = join(root, "dist", path.replace(/tsx?$/, "js"));
  mkdirSync(dirname(target), { recursive: true });
  // Without the note of where the sources are mapped: that file is not here.
  const program = readFileSync(transpiled(path), "utf8").replace(/\n\/\/# sourceMappingURL=.*/, "");
  writeFileSync(target, program);
}
