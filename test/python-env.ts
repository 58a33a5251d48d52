import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

const root = join(import.meta.dirname, "..");
const packageFolder = join(root, "sim-adapters/python");
/** Seconds to wait for another process that installs. */
const patience = 240;

/**
 * The Python of a virtual environment that holds `firstsolo_sim` (with `test`: Gymnasium and MuJoCo too), made once per state of its pyproject.toml and kept
 * in node_modules/.cache. Several test processes may ask at the same time.
 *
 * @throws when python3 is missing or the installation fails, with what to do.
 */
export async function pythonEnv(extra: "" | "test" = ""): Promise<string> {
  const project = readFileSync(join(packageFolder, "pyproject.toml"));
  const what = extra === "" ? packageFolder : `${packageFolder}[${extra}]`;
  const key = createHash("sha256").update(project).update(packageFolder).update(extra);
  return environment(key.digest("hex"), ["-e", what]);
}

/** The Python of a virtual environment with the packages that a requirements file names, made once per content of that file. */
export async function pythonWith(requirements: string): Promise<string> {
  const key = createHash("sha256").update(readFileSync(requirements));
  return environment(key.digest("hex"), ["-r", requirements]);
}

async function environment(key: string, packages: readonly string[]): Promise<string> {
  const folder = join(root, "node_modules/.cache", `firstsolo-python-${key.slice(0, 12)}`);
  const python = join(folder, "bin/python");
  const ready = join(folder, "ready");
  const lock = `${folder}.lock`;
  mkdirSync(join(root, "node_modules/.cache"), { recursive: true });
  const deadline = Date.now() + patience * 1000;
  while (!existsSync(ready)) {
    if (take(lock)) {
      try {
        if (!existsSync(ready)) install(folder, python, packages);
        writeFileSync(ready, "");
      } finally {
        rmSync(lock, { force: true });
      }
    } else if (Date.now() > deadline) {
      throw new Error(`another process holds ${lock}; remove it and try again`);
    } else await setTimeout(200);
  }
  return python;
}

/** The lock is a file with its owner's process id: one that died has let go. */
function take(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch {
    const owner = existsSync(lock) ? Number(readFileSync(lock, "utf8")) : 0;
    if (owner > 0 && !isAlive(owner)) rmSync(lock, { force: true });
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function install(folder: string, python: string, packages: readonly string[]): void {
  rmSync(folder, { recursive: true, force: true });
  try {
    execFileSync("python3", ["-m", "venv", folder], { stdio: "pipe" });
  } catch (cause) {
    const line =
      "These tests need python3 with its venv module (Debian: apt install python3-venv).";
    throw new Error(line, { cause });
  }
  try {
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    execFileSync(python, [...pip, ...packages], { stdio: "pipe", timeout: 200_000 });
  } catch (cause) {
    const { stderr } = cause as { stderr?: Buffer };
    throw new Error(`pip could not install ${packages.join(" ")}:\n${stderr}`, { cause });
  }
}
