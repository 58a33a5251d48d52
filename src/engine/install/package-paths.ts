import { existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { EngineError } from "../engine-error.ts";

export const NATIVE_PACKAGE = "@tensorflow/tfjs-node-gpu";

/** The folder of our own package.json: the same for the sources and for what was compiled. */
export function projectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (dirname(folder) !== folder) {
    const path = join(folder, "package.json");
    if (existsSync(path) && readJson(path).name === "firstsolo") return folder;
    folder = dirname(folder);
  }
  throw new EngineError(
    "package-missing",
    "Firstsolo's own package.json was not found above its program files",
    "Install Firstsolo again.",
  );
}

/** The folder of an installed package as code in `from` sees it, or undefined. */
export function packageFolder(name: string, from: string): string | undefined {
  for (const base of createRequire(join(from, "package.json")).resolve.paths(name) ?? []) {
    const folder = join(base, name);
    if (existsSync(join(folder, "package.json"))) return realpathSync(folder);
  }
  return undefined;
}

/**
 * Where the install step puts `@tensorflow/tfjs-node-gpu` and its needs: npm leaves names with a dot alone, and what
 * lies there sees our own packages above it.
 */
export function nativeHome(root: string): string {
  return join(root, "node_modules", ".firstsolo");
}

/** The folder of `@tensorflow/tfjs-node-gpu`, brought by the install step or by the user, or undefined. */
export function nativePackage(root: string): string | undefined {
  return packageFolder(NATIVE_PACKAGE, nativeHome(root));
}

export function readJson(path: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  } catch {
    return {};
  }
}
