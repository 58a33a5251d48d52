/**
 * Pythons for the other side of a test, each made once per state of what it holds and kept in node_modules/.cache.
 * The set-up before all tests makes them (`python-setup.ts`), so that no test installs within its own time limit.
 * python3 and its pip are enough: no ensurepip, which Debian has in a package of its own.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { isRunning } from "../src/disk/is-running.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");
const ourPackage = join(root, "sim-adapters/python");
const cache = join(root, "node_modules/.cache");
/** Milliseconds that one download and installation may take. */
const patience = 300_000;

/** `sim` holds what firstsolo_sim needs, `gymnasium` what its tests need as well, `metrics` and `datasets` who reads our files. */
export type EnvironmentName = "sim" | "gymnasium" | "metrics" | "datasets";
export const environmentNames: readonly EnvironmentName[] = [
  "sim",
  "gymnasium",
  "metrics",
  "datasets",
];

interface Environment {
  readonly folder: string;
  readonly python: string;
  /** There once all is installed. */
  readonly ready: string;
  /** Holds why the last attempt failed. */
  readonly failed: string;
  readonly requirements: readonly string[];
}

/** Of `firstsolo_sim` with Gymnasium and MuJoCo (`test`), or without. @throws where the set-up could not make it */
export async function pythonEnv(extra: "" | "test" = ""): Promise<string> {
  return readyPython(extra === "" ? "sim" : "gymnasium");
}

/** The Python of an environment that the set-up made. @throws with the reason where it could not */
export function readyPython(name: EnvironmentName): string {
  const { python, ready, failed } = describe(name);
  if (existsSync(ready)) return python;
  const why = existsSync(failed) ? readFileSync(failed, "utf8") : "the set-up did not run";
  throw new Error(`there is no Python with ${name} for this test: ${why}`);
}

/** Makes it where it is not there yet; several processes may ask at the same time. Never throws. */
export async function makeEnvironment(name: EnvironmentName): Promise<void> {
  const wanted = describe(name);
  const lock = `${wanted.folder}.lock`;
  mkdirSync(cache, { recursive: true });
  for (const until = Date.now() + patience; !existsSync(wanted.ready); await setTimeout(200)) {
    if (Date.now() > until) return note(wanted, `another process holds ${lock}; remove it`);
    if (!take(lock)) continue;
    try {
      if (!existsSync(wanted.ready)) await install(wanted);
      writeFileSync(wanted.ready, "");
    } catch (error) {
      const { message, stderr = "" } = error as Error & { stderr?: string };
      return note(wanted, `${message}\n${stderr}`);
    } finally {
      rmSync(lock, { force: true });
    }
  }
}

function note({ failed }: Environment, why: string): void {
  writeFileSync(failed, `${why.trim()}\nThese tests need python3 with pip, and PyPI in reach.`);
}

function describe(name: EnvironmentName): Environment {
  const requirements = requirementsOf(name);
  const hash = createHash("sha256").update(requirements.join("\n")).update(ourPackage);
  const folder = join(cache, `firstsolo-python-${name}-${hash.digest("hex").slice(0, 12)}`);
  return {
    folder,
    python: join(folder, "bin/python"),
    ready: join(folder, "ready"),
    failed: `${folder}.failed`,
    requirements,
  };
}

function requirementsOf(name: EnvironmentName): readonly string[] {
  if (name === "metrics" || name === "datasets") {
    const text = readFileSync(join(root, "test", name, "requirements.txt"), "utf8");
    return text.split("\n").filter((line) => /^\w/.test(line));
  }
  const project = readFileSync(join(ourPackage, "pyproject.toml"), "utf8");
  // Lists of plain strings on one line are the same in TOML and JSON.
  const list = (key: string): readonly string[] =>
    JSON.parse(new RegExp(`^${key} = (\\[.*\\])$`, "m").exec(project)![1]!);
  return name === "sim" ? list("dependencies") : [...list("dependencies"), ...list("test")];
}

/** The lock is a file with its owner's process id: one that died has let go. */
function take(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch {
    const owner = existsSync(lock) ? Number(readFileSync(lock, "utf8")) : 0;
    if (owner > 0 && !isRunning(owner)) rmSync(lock, { force: true });
    return false;
  }
}

async function install({ folder, python, requirements }: Environment): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  await run("python3", ["-m", "venv", "--without-pip", folder]);
  const where = ["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"];
  const packages = (await run(python, where)).stdout.trim();
  // Python compiles what it imports, a tenth of the modules; pip would take half of its time for all of them.
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"];
  const env = { ...process.env, PIP_USER: "0" };
  const options = { timeout: patience - 30_000, env };
  await run("python3", [...pip, "--target", packages, ...requirements], options);
  // Our own package is used from where it lies.
  writeFileSync(join(packages, "firstsolo.pth"), `${ourPackage}\n`);
}
