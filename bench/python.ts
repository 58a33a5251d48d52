/** Pythons for the other side of a comparison: virtual environments kept in the user's cache. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cacheRoot } from "../src/engine/install/cache.ts";
import { runCommand } from "../src/engine/install/command.ts";
import { projectFolder } from "./children.ts";
import type { Say } from "./report.ts";

/** What our own Python package needs; the package itself is used from where it lies. */
export const wirePackages: readonly string[] = ["pyzmq>=25", "msgpack>=1.0", "numpy>=1.22"];

/** What we compare with. */
export const peerPackages: readonly string[] = [
  "rsl-rl-lib==5.5.1",
  "torch",
  "tensordict",
  ...wirePackages,
];

/** Lets any Python import `firstsolo_sim`. */
export const pythonPath: Readonly<Record<string, string>> = {
  PYTHONPATH: [join(projectFolder, "sim-adapters/python"), process.env.PYTHONPATH]
    .filter(Boolean)
    .join(delimiter),
  PYTHONDONTWRITEBYTECODE: "1",
};

/** Seconds for pip: the peer brings some gigabytes. */
const patience = 1800;

/**
 * A Python with these packages: `FIRSTSOLO_BENCH_PYTHON` where it is set, else one made once and
 * kept; of that version (3.12) where one is named.
 *
 * @throws Error with the last line of whoever failed.
 */
export async function pythonWith(
  name: string,
  packages: readonly string[],
  { say, version }: { readonly say: Say; readonly version?: string },
): Promise<string> {
  const own = process.env.FIRSTSOLO_BENCH_PYTHON;
  if (own) return own;
  const key = createHash("sha256").update(packages.join("\n")).digest("hex").slice(0, 12);
  const folder = join(cacheRoot(), `bench-${name}-${key}`);
  const python = join(folder, "bin/python");
  if (existsSync(python)) return python;
  say(`making ${folder} with ${packages.join(", ")}; this is done once`);
  const work = `${folder}.${process.pid}`;
  mkdirSync(cacheRoot(), { recursive: true });
  try {
    await must(version === undefined ? "python3" : await pythonOf(version), ["-m", "venv", work]);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    await must(join(work, "bin/python"), [...pip, ...packages]);
    // Python finds its packages from where it is started, so the folder may move.
    if (!existsSync(folder)) renameSync(work, folder);
    return python;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** A command that starts a Python of that version: its own name, or a plain one that happens to be it. */
async function pythonOf(version: string): Promise<string> {
  for (const command of [`python${version}`, "python3", "python"]) {
    const { status, stdout } = await runCommand(command, ["--version"], { timeout: 30_000 });
    if (status === 0 && stdout.startsWith(`Python ${version}.`)) return command;
  }
  throw new Error(`it needs Python ${version}: python${version} is not on the PATH`);
}

async function must(command: string, args: readonly string[]): Promise<void> {
  const result = await runCommand(command, args, { timeout: patience * 1000 });
  if (result.status === 0) return;
  const line = `${result.stderr}${result.stdout}`.trim().split("\n").at(-1);
  throw new Error(line || `${command} could not be run (${result.stopped ?? result.signal})`);
}
