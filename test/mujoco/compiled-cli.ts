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

/**
 * What `firstsolo sim` consists of, as JavaScript in a folder of its own; gives the path of its
 * program.
 */
export function compiledCli(): { program: string; remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), "firstsolo-sim-"));
  copyFileSync(join(repository, "package.json"), join(root, "package.json"));
  symlinkSync(join(repository, "node_modules"), join(root, "node_modules"));
  for (const room of ["protocol", "sim-adapters", "src/cli", "src/config"]) {
    for (const entry of readdirSync(join(repository, room), {
      recursive: true,
      encoding: "utf8",
    })) {
      if (entry.endsWith(".ts")) compile(join(room, entry), root);
    }
  }
  const program = join(root, "src", "cli", "firstsolo.mjs");
  mkdirSync(dirname(program), { recursive: true });
  copyFileSync(join(repository, "src", "cli", "firstsolo.mjs"), program);
  return { program, remove: () => rmSync(root, { recursive: true, force: true }) };
}

function compile(path: string, root: string): void {
  const target = join(root, "dist", path.replace(/ts$/, "js"));
  mkdirSync(dirname(target), { recursive: true });
  const { outputText } = ts.transpileModule(readFileSync(join(repository, path), "utf8"), {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      rewriteRelativeImportExtensions: true,
      verbatimModuleSyntax: true,
    },
  });
  writeFileSync(target, outputText);
}
