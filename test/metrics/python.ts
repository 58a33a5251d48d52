/** The programs that users read our files with, from PyPI, in an environment of their own. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");

/** What one download and installation may take. */
export const SETUP_MS = 300_000;

export interface Tools {
  readonly python: string;
  readonly wandb: string;
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; one that takes too long is killed and fails the test. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { readonly timeout?: number; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Outcome> {
  const { timeout = 60_000, env = process.env } = options;
  return new Promise((resolve, reject) => {
    const limits = { timeout, env, maxBuffer: 64 * 1024 * 1024 };
    execFile(program, [...args], limits, (error, stdout, stderr) => {
      if (error && typeof error.code !== "number") {
        const why = error.killed ? `took longer than ${timeout} ms` : error.message;
        reject(new Error(`${program} ${args.join(" ")}: ${why}\n${stderr}`, { cause: error }));
      } else resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

/** Installs what `requirements.txt` names once per content of that file; takes seconds, then none. */
export async function metricsTools(): Promise<Tools> {
  const requirements = join(here, "requirements.txt");
  const key = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
  const cache = join(root, "node_modules/.cache/firstsolo-metrics-python");
  const home = join(cache, key);
  const tools = { python: join(home, "bin/python"), wandb: join(home, "bin/wandb") };
  const ready = join(home, "ready");
  mkdirSync(cache, { recursive: true });
  const lock = `${home}.lock`;
  for (const until = Date.now() + SETUP_MS; !existsSync(ready); await sleep(200)) {
    if (Date.now() > until) throw new Error(`another process holds ${lock}; delete it`);
    if (!takeLock(lock)) continue;
    try {
      await install(home, requirements);
      writeFileSync(ready, "");
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
  return tools;
}

/** A lock that outlived its installation belongs to nobody. */
function takeLock(lock: string): boolean {
  const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  if (age > SETUP_MS) rmSync(lock, { recursive: true, force: true });
  try {
    mkdirSync(lock);
    return true;
  } catch {
    return false;
  }
}

async function install(home: string, requirements: string): Promise<void> {
  rmSync(home, { recursive: true, force: true });
  const made = await runProgram("python3", ["-m", "venv", home]).catch((error) => {
    throw new Error("these tests need python3 (3.10 or later) with venv on the PATH", {
      cause: error,
    });
  });
  if (made.code !== 0) throw new Error(`python3 -m venv failed: ${made.stderr}${made.stdout}`);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  const timeout = SETUP_MS - 30_000;
  const got = await runProgram(join(home, "bin/python"), [...pip, "-r", requirements], { timeout });
  if (got.code !== 0) throw new Error(`pip could not install ${requirements}: ${got.stderr}`);
}
