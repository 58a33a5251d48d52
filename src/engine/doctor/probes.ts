import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { arch, platform } from "node:os";
import { delimiter, join } from "node:path";
import type { RunCommand } from "../install/command.ts";
import type { Host } from "../install/host.ts";

/** Facts of this machine; starts no program. */
export function probeHost(env: NodeJS.ProcessEnv = process.env): Host {
  const glibc = glibcVersion();
  return {
    platform: platform(),
    arch: arch(),
    ...(glibc === undefined ? {} : { glibc }),
    family: systemFamily(),
    nvidiaDriver: seesNvidiaDriver(env),
  };
}

function glibcVersion(): string | undefined {
  const report = process.report?.getReport() as { header?: Record<string, unknown> } | undefined;
  const version = report?.header?.glibcVersionRuntime;
  return typeof version === "string" ? version : undefined;
}

function systemFamily(): readonly string[] {
  try {
    const text = readFileSync("/etc/os-release", "utf8");
    return [...text.matchAll(/^(?:ID|ID_LIKE)="?([^"\n]*)"?$/gm)].flatMap((found) =>
      found[1]!.split(" "),
    );
  } catch {
    return [];
  }
}

function seesNvidiaDriver(env: NodeJS.ProcessEnv): boolean {
  if (existsSync("/proc/driver/nvidia/version") || existsSync("/dev/nvidiactl")) return true;
  if (existsSync("/dev/dxg") && existsSync("/usr/lib/wsl/lib/libcuda.so.1")) return true;
  return whichCommand("nvidia-smi", env) !== undefined;
}

/** Where a program lies on the PATH. */
export function whichCommand(
  name: string,
  env: NodeJS.ProcessEnv = process.env,
): string | undefined {
  for (const folder of (env.PATH ?? "").split(delimiter)) {
    if (folder === "") continue;
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return undefined;
}

export interface Python {
  /** Program and first arguments that run pip. */
  readonly pip: readonly string[];
  readonly version: string;
  readonly pipVersion: string;
}

export type PythonFound =
  | Python
  | { readonly missing: "python" | "pip"; readonly version?: string };

/** The first Python 3 on the PATH that has pip. */
export async function findPython(run: RunCommand): Promise<PythonFound> {
  let version: string | undefined;
  for (const command of ["python3", "python"]) {
    const found = await run(command, ["-c", "import sys; print(sys.version.split()[0])"], {
      timeout: 20_000,
    });
    const text = found.stdout.trim();
    if (found.status !== 0 || !text.startsWith("3.")) continue;
    version ??= text;
    const pip = await run(command, ["-m", "pip", "--version"], { timeout: 30_000 });
    const pipVersion = /^pip (\S+)/m.exec(pip.stdout)?.[1];
    if (pip.status === 0 && pipVersion !== undefined) {
      return { pip: [command, "-m", "pip"], version: text, pipVersion };
    }
  }
  return version === undefined ? { missing: "python" } : { missing: "pip", version };
}

export interface Compiler {
  readonly command: string;
  /** The first line it says of itself. */
  readonly version: string;
}

/** `CXX`, or the first C++ compiler on the PATH. */
export async function findCompiler(
  run: RunCommand,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Compiler | undefined> {
  for (const command of [env.CXX, "g++", "c++", "clang++"]) {
    if (!command) continue;
    const found = await run(command, ["--version"], { timeout: 20_000 });
    if (found.status === 0) return { command, version: found.stdout.split("\n")[0] ?? "" };
  }
  return undefined;
}

/** Names of the NVIDIA cards the driver shows; empty without one. */
export async function nvidiaCards(run: RunCommand): Promise<readonly string[]> {
  const asked = await run("nvidia-smi", ["--query-gpu=name", "--format=csv,noheader"], {
    timeout: 10_000,
  });
  if (asked.status === 0) return asked.stdout.split("\n").filter((line) => line.trim() !== "");
  const folder = "/proc/driver/nvidia/gpus";
  try {
    return readdirSync(folder).map((bus) => {
      const text = readFileSync(join(folder, bus, "information"), "utf8");
      return /^Model:\s*(.+)$/m.exec(text)?.[1] ?? "NVIDIA card";
    });
  } catch {
    return [];
  }
}
