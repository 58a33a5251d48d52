/**
 * The sources as JavaScript, for the processes that tests start. Each state of each file is transpiled once and
 * kept in node_modules/.cache: thirty test files want all of them, and the compiler takes five seconds.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type TypeScript from "typescript";
import { putWholeSync } from "../src/disk/whole-file.ts";

const repository = join(import.meta.dirname, "..");
const cache = join(repository, "node_modules/.cache/firstsolo-transpiled");
/** The rooms that the package holds. */
export const rooms = ["protocol", "sim-adapters", "policies", "src"] as const;

/** TypeScript files of a room, relative to the repository. */
export function sourcesOf(room: string): readonly string[] {
  const entries = readdirSync(join(repository, room), { recursive: true, encoding: "utf8" });
  return entries.filter((entry) => /\.tsx?$/.test(entry)).map((entry) => join(room, entry));
}

/** A file that holds the JavaScript of a source as it stands now: what `tsc` built, or what is kept. */
export function transpiled(path: string): string {
  const source = readFileSync(join(repository, path), "utf8");
  const hash = createHash("sha256").update(source).digest("hex");
  const built = join(repository, "dist", path.replace(/tsx?$/, "js"));
  builtFrom ??= readBuildInfo();
  if (builtFrom.get(path) === hash && existsSync(built)) return built;
  const kept = join(cache, `${hash}.js`);
  if (!existsSync(kept)) {
    mkdirSync(cache, { recursive: true });
    putWholeSync(kept, transpile(path, source));
  }
  return kept;
}

/** Keeps what the sources are now, and nothing of what they were. */
export function forgetOthers(): void {
  const wanted = new Set(rooms.flatMap(sourcesOf).map(transpiled));
  if (!existsSync(cache)) return;
  for (const name of readdirSync(cache))
    if (!wanted.has(join(cache, name))) rmSync(join(cache, name));
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
