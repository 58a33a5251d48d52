import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterAll } from "vitest";
import { REPOSITORY } from "./fake-machine.ts";

const made: string[] = [];
afterAll(() => {
  for (const root of made) rmSync(root, { recursive: true, force: true });
});

/** The engine's sources as JavaScript in a folder of their own, for processes that a test starts. */
export function compiledEngine(): string {
  const root = mkdtempSync(join(tmpdir(), "firstsolo-compiled-"));
  made.push(root);
  const target = join(root, "dist", "src", "engine");
  mkdirSync(target, { recursive: true });
  writeFileSync(join(root, "package.json"), `{ "name": "firstsolo", "type": "module" }`);
  symlinkSync(join(REPOSITORY, "node_modules"), join(root, "node_modules"));
  const folder = join(REPOSITORY, "src", "engine");
  mkdirSync(join(root, "src", "engine"), { recursive: true });
  copyFileSync(join(folder, "quiet.cc"), join(root, "src", "engine", "quiet.cc"));
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".ts"))) {
    const { outputText } = ts.transpileModule(readFileSync(join(folder, name), "utf8"), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        rewriteRelativeImportExtensions: true,
        verbatimModuleSyntax: true,
      },
    });
    writeFileSync(join(target, name.replace(/ts$/, "js")), outputText);
  }
  return target;
}
