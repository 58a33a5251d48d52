import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type TypeScript from "typescript";
import { afterAll } from "vitest";
import { needsOwnProcess } from "./own-process.ts";

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
function compiled(rooms: readonly string[], besides: readonly string[]): string {
  const root = mkdtempSync(join(tmpdir(), "firstsolo-compiled-"));
  made.push(root);
  symlinkSync(join(repository, "node_modules"), join(root, "node_modules"));
  for (const room of rooms) {
    const entries = readdirSync(join(repository, room), { recursive: true, encoding: "utf8" });
    for (const entry of entries) if (/\.tsx?$/.test(entry)) compile(join(room, entry), root);
  }
  for (const path of ["package.json", ...besides]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(join(repository, path), join(root, path));
  }
  return root;
}

/** All of `firstsolo`; gives its program's path. */
export function compiledProgram(): string {
  const program = "src/cli/firstsolo.mjs";
  const root = compiled(["protocol", "sim-adapters", "policies", "src"], [program]);
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
  const source = readFileSync(join(repository, path), "utf8");
  const built = join(repository, "dist", path.replace(/tsx?$/, "js"));
  builtFrom ??= readBuildInfo();
  const isBuilt = builtFrom.get(path) === createHash("sha256").update(source).digest("hex");
  if (isBuilt && existsSync(built)) copyFileSync(built, target);
  else writeFileSync(target, transpile(path, source));
}

let builtFrom: ReadonlyMap<string, string> | undefined;

/** SHA-256 of each source from which `tsc` made what lies in `dist`: most are still as they were then. */
function readBuildInfo(): ReadonlyMap<string, string> {
  const path = join(repository, "dist/.tsbuildinfo");
  if (!existsSync(path)) return new Map();
  const { fileNames = [], fileInfos = [] } = JSON.parse(readFileSync(path, "utf8")) as {
    readonly fileNames?: readonly string[];
    readonly fileInfos?: readonly (string | { readonly version: string })[];
  };
  return new Map(
    fileNames.map((name, i) => {
      const info = fileInfos[i] ?? "";
      return [name.replace(/^\.\.\//, ""), typeof info === "string" ? info : info.version];
    }),
  );
}

let compiler: typeof TypeScript | undefined;

function transpile(path: string, source: string): string {
  // Half a second to load, and mostly nothing is left for it to do.
  compiler ??= createRequire(import.meta.url)("typescript") as typeof TypeScript;
  const compilerOptions: TypeScript.CompilerOptions = {
    module: compiler.ModuleKind.ESNext,
    target: compiler.ScriptTarget.ES2022,
    jsx: compiler.JsxEmit.ReactJSX,
    rewriteRelativeImportExtensions: true,
    verbatimModuleSyntax: true,
  };
  return compiler.transpileModule(source, { compilerOptions, fileName: path }).outputText;
}
