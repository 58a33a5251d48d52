import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { needsOwnProcess } from "./own-process.ts";
import { rooms, sourcesOf, transpiled } from "./transpiled.ts";

needsOwnProcess(import.meta.url);

const repository = fileURLToPath(new URL("..", import.meta.url));

const made: string[] = [];
afterAll(() => {
  for (const root of made) rmSync(root, { recursive: true, force: true });
});

/**
 * The sources of these rooms as they stand, compiled into a folder laid out as the package is, for
 * processes that a test starts. It is removed after the tests of the file.
 */
function compiled(folders: readonly string[], besides: readonly string[]): string {
  const root = mkdtempSync(join(tmpdir(), "firstsolo-compiled-"));
  made.push(root);
  symlinkSync(join(repository, "node_modules"), join(root, "node_modules"));
  for (const path of folders.flatMap(sourcesOf)) compile(path, root);
  for (const path of ["package.json", ...besides]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(join(repository, path), join(root, path));
  }
  return root;
}

/** All of `firstsolo`; gives its program's path. */
export function compiledProgram(): string {
  const program = "src/cli/firstsolo.mjs";
  const root = compiled(rooms, [program]);
  mkdirSync(join(root, "policies"));
  symlinkSync(join(repository, "policies/teachers"), join(root, "policies/teachers"));
  return join(root, program);
}

/** The engine alone; gives the folder of its modules. */
export function compiledEngine(): string {
  return join(
    compiled(
      ["protocol", "src/disk", "src/engine"],
      [
        "src/cli/firstsolo.mjs",
        "src/engine/install/quiet.cc",
        "src/engine/install/native/package.json",
      ],
    ),
    "dist/src/engine",
  );
}

function compile(path: string, root: string): void {
  const target = join(root, "dist", path.replace(/tsx?$/, "js"));
  mkdirSync(dirname(target), { recursive: true });
  // Without the note of where the sources are mapped: that file is not here.
  const program = readFileSync(transpiled(path), "utf8").replace(/\n\/\/# sourceMappingURL=.*/, "");
  writeFileSync(target, program);
}
