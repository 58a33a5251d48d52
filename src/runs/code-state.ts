import { execFile } from "node:child_process";
import { basename } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

export interface CodeState {
  /** Name of the repository's folder. */
  readonly repository: string;
  /** Commit, status and difference, in the form of rsl_rl's `git/<repo>.diff`. */
  readonly text: string;
}

/** How the code around `folder` differs from its last commit; undefined outside git's reach. */
export async function readCodeState(folder: string): Promise<CodeState | undefined> {
  try {
    const top = (await git(folder, "rev-parse", "--show-toplevel")).trim();
    const [commit, status, diff] = await Promise.all([
      git(top, "rev-parse", "HEAD"),
      git(top, "status"),
      git(top, "diff", "--no-ext-diff", "--no-textconv", "--no-color", "HEAD"),
    ]);
    const parts = [`commit ---\n${commit}`, `status ---\n${status}`, `diff ---\n${diff}`];
    return { repository: basename(top), text: parts.map((part) => `--- git ${part}\n`).join("\n") };
  } catch {
    return undefined;
  }
}

/** Bounded in time and size, runs no program that a repository's settings name. */
async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const safe = ["-C", folder, "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"];
  const { stdout } = await execute("git", [...safe, ...args], {
    timeout: 5000,
    maxBuffer: 32 << 20,
    env: { ...process.env, GIT_OPTIONAL_LOCKS: "0" },
  });
  return stdout;
}
