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
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const repository = fileURLToPath(new URL("../..", import.meta.url));

const compilerOptions: ts.CompilerOptions = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2022,
  jsx: ts.JsxEmit.ReactJSX,
  rewriteRelativeImportExtensions: true,
  verbatimModuleSyntax: true,
};

/** All of `firstsolo` as it stands in the sources, in a folder of its own; gives its program's path. */
export function compiledProgram(): { readonly program: string; readonly remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), "firstsolo-program-"));
  copyFileSync(join(repository, "package.json"), join(root, "package.json"));
  symlinkSync(join(repository, "node_modules"), join(root, "node_modules"));
  mkdirSync(join(root, "policies"));
  symlinkSync(join(repository, "policies/teachers"), join(root, "policies/teachers"));
  for (const room of ["protocol", "sim-adapters", "policies", "src"]) {
    const entries = readdirSync(join(repository, room), { recursive: true, encoding: "utf8" });
    for (const entry of entries) {
      if (/\.tsx?$/.test(entry)) compile(join(room, entry), root);
    }
  }
  const program = join(root, "src/cli/firstsolo.mjs");
  mkdirSync(dirname(program), { recursive: true });
  copyFileSync(join(repository, "src/cli/firstsolo.mjs"), program);
  return { program, remove: () => rmSync(root, { recursive: true, force: true }) };
}

function compile(path: string, root: string): void {
  const target = join(root, "dist", path.replace(/tsx?$/, "js"));
  mkdirSync(dirname(target), { recursive: true });
  const source = readFileSync(join(repository, path), "utf8");
  const { outputText } = ts.transpileModule(source, { compilerOptions, fileName: path });
  writeFileSync(target, outputText);
}
