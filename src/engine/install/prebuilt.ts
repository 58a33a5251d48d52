import { copyFile, rename, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { EngineError } from "../engine-error.ts";
import type { RunCommand } from "./command.ts";
import type { Flavour } from "./host.ts";

/**
 * Runs the package's own install script: a library of 2022 (TensorFlow 2.9.1, CUDA 11.2) and an addon
 * built for it, downloaded from the package's own host. Bounded in time, since an unreachable host can
 * hold it for ever.
 */
export async function installPrebuilt(
  run: RunCommand,
  packageFolder: string,
  flavour: Flavour,
  timeout = 600_000,
): Promise<void> {
  const manifest = join(packageFolder, "package.json");
  const kept = `${manifest}.kept`;
  await copyFile(manifest, kept);
  const bin = join(packageFolder, "..", "..", ".bin");
  try {
    const kind = flavour === "cuda" ? "gpu" : "cpu";
    const result = await run(process.execPath, ["scripts/install.js", kind, "download"], {
      cwd: packageFolder,
      env: { PATH: [bin, process.env.PATH ?? ""].join(delimiter) },
      timeout,
    });
    if (result.status === 0) return;
    const lines = `${result.stdout}\n${result.stderr}`.split("\n");
    const line = lines.find((text) => /^\s*\w*Error: |ENOTFOUND|ECONN/.test(text))?.trim();
    throw new EngineError(
      "download-failed",
      `the package's own download did not work: ${result.stopped ?? line?.slice(0, 200) ?? "no reason given"}`,
      "It needs a host of its own; with Python 3, pip and g++ it is not needed.",
    );
  } finally {
    // The script rewrites its package.json while it works, and does not put it back when it fails.
    await rename(kept, manifest).catch(() => rm(kept, { force: true }));
  }
}
