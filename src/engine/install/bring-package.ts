import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { howToCall } from "../../disk/how-to-call.ts";
import { EngineError } from "../engine-error.ts";
import type { RunCommand } from "./command.ts";
import {
  NATIVE_PACKAGE,
  nativeHome,
  nativePackage,
  projectRoot,
  readJson,
} from "./package-paths.ts";

/**
 * The folder of `@tensorflow/tfjs-node-gpu`, brought first where it is missing. It is no dependency of ours: npm 10
 * would run its install script, which fetches hundreds of megabytes from a host of its own. Its sources alone are
 * wanted, so npm brings them here without scripts, in the versions of the lock file in `native/`.
 */
export async function bringNativePackage(
  run: RunCommand,
  root: string,
  report: (line: string) => void,
): Promise<string> {
  const lists = join(projectRoot(), "src", "engine", "install", "native");
  const wanted = readJson(join(lists, "package.json")).dependencies as Record<string, string>;
  const found = nativePackage(root);
  const version = wanted[NATIVE_PACKAGE]!;
  if (found !== undefined && readJson(join(found, "package.json")).version === version)
    return found;
  const home = nativeHome(root);
  await mkdir(home, { recursive: true });
  for (const name of ["package.json", "package-lock.json"]) {
    await copyFile(join(lists, name), join(home, name));
  }
  report(`bringing the sources of ${NATIVE_PACKAGE}`);
  const failure = await npmInstall(run, home);
  // The lock file has a stand-in for tfjs, so that the one that we depend on is found above.
  await rm(join(home, "node_modules", "@tensorflow", "tfjs"), { recursive: true, force: true });
  const brought = nativePackage(root);
  if (brought !== undefined) return brought;
  throw new EngineError(
    "package-missing",
    `npm did not bring ${NATIVE_PACKAGE} ${version}: ${failure}`,
    `See that npm reaches its registry (npm ping), then run: ${howToCall("doctor", "--install")}.`,
  );
}

/** Gives what npm said, should nothing have come of it. */
async function npmInstall(run: RunCommand, home: string): Promise<string> {
  const args = ["ci", "--prefix", home, "--ignore-scripts", "--no-audit", "--no-fund"];
  const npm = process.env.npm_execpath;
  const script = npm !== undefined && /\.c?js$/.test(npm);
  const command = script ? process.execPath : "npm";
  const result = await run(command, script ? [npm, ...args] : args, {
    cwd: home,
    env: { ...withoutNpmScope(), npm_config_ignore_scripts: "true" },
    timeout: 600_000,
  });
  const line = result.stderr.split("\n").find((text) => /npm (error|ERR!)/.test(text));
  return line?.trim() ?? result.stopped ?? `it ended with ${result.status}`;
}

/** npm hands its own settings down: those that would aim a second npm elsewhere are taken away. */
function withoutNpmScope(): Record<string, undefined> {
  const names = ["global", "location", "prefix", "local_prefix", "package_lock_only", "dry_run"];
  names.push("omit", "include", "package_lock");
  return Object.fromEntries(names.map((name) => [`npm_config_${name}`, undefined]));
}
