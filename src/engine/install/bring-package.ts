import { existsSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "../engine-error.ts";
import type { RunCommand } from "./command.ts";
import { NATIVE_PACKAGE, packageFolder, wantedVersion } from "./package-paths.ts";

/**
 * The folder of `@tensorflow/tfjs-node-gpu`, brought first where npm left it out. npm 10 runs its
 * install script, which fails where its host can't be reached, and an optional package that fails is
 * removed; here its sources alone are wanted, so npm is asked again without scripts.
 */
export async function bringNativePackage(
  run: RunCommand,
  root: string,
  report: (line: string) => void,
): Promise<string> {
  const found = packageFolder(NATIVE_PACKAGE, root);
  if (found !== undefined) return found;
  const wanted = `${NATIVE_PACKAGE}@${wantedVersion(NATIVE_PACKAGE, root) ?? "4.22.0"}`;
  report(`npm left ${NATIVE_PACKAGE} out; bringing its sources`);
  const args = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
  // With a lock file a plain install brings exactly what it names.
  if (!existsSync(join(root, "package-lock.json"))) args.push("--no-package-lock", wanted);
  const npm = process.env.npm_execpath;
  const script = npm !== undefined && /\.c?js$/.test(npm);
  const command = script ? process.execPath : "npm";
  const result = await run(command, script ? [npm, ...args] : args, {
    cwd: root,
    env: { ...withoutNpmScope(), npm_config_ignore_scripts: "true" },
    timeout: 600_000,
  });
  const brought = packageFolder(NATIVE_PACKAGE, root);
  if (brought !== undefined) return brought;
  const line = result.stderr.split("\n").find((text) => /npm (error|ERR!)/.test(text));
  throw new EngineError(
    "package-missing",
    `npm did not bring ${wanted}: ${line?.trim() ?? result.stopped ?? `it ended with ${result.status}`}`,
    `Run: npm install --no-save --ignore-scripts ${wanted}, then npx firstsolo doctor --install.`,
  );
}

/** npm hands its own settings down: those that would aim a second npm elsewhere are taken away. */
function withoutNpmScope(): Record<string, undefined> {
  const names = ["global", "location", "prefix", "local_prefix", "package_lock_only", "dry_run"];
  return Object.fromEntries(names.map((name) => [`npm_config_${name}`, undefined]));
}
