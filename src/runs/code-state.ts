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
    const { kept, leftOut } = withoutSecretFiles(diff);
    const note =
      leftOut.length === 0 ? "" : `left out: they look like secrets: ${leftOut.join(", ")}\n`;
    const parts = [`commit ---\n${commit}`, `status ---\n${status}`, `diff ---\n${note}${kept}`];
    return { repository: basename(top), text: parts.map((part) => `--- git ${part}\n`).join("\n") };
  } catch {
    return undefined;
  }
}

/** Names of files that hold keys and passwords, and what such files are full of. */
const secretName =
  /(^|\/)(\.env[^/]*|[^/]*\.env|\.?(netrc|npmrc|pypirc|pgpass|htpasswd)|id_(rsa|dsa|ecdsa|ed25519)|kubeconfig)$|\.(pem|key|key_secret|p12|pfx|jks|keystore|kdbx|asc|ppk)$|secret|credential|passw(or)?d|api[-_.]?key|(^|[/._-])tokens?([._-]|$)|(^|\/)\.(ssh|aws|gnupg|kube)\//i;
const secretText =
  /-----BEGIN [A-Z ]*PRIVATE KEY|\b(AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{30,}|\bhf_\w{30,}|\bsk-[\w-]{20,}|\bxox[baprs]-[\w-]{10,}|(secret|passw(or)?d|api[-_]?key|token)["']?\s*[:=]\s*["']?[\w+/.-]{16,}/i;

/** The sections of a difference less those of files that look like secrets; with the names of those. */
export function withoutSecretFiles(diff: string): {
  readonly kept: string;
  readonly leftOut: readonly string[];
} {
  const leftOut: string[] = [];
  // What is in a file begins with a space, a plus or a minus here: a line that begins so is a section's.
  const sections = diff.split(/^(?=diff --git )/m).filter((section) => {
    const name = /^diff --git .*? "?b\/(.*?)"?$/m.exec(section)?.[1] ?? "";
    if (!secretName.test(name) && !secretText.test(section)) return true;
    leftOut.push(name);
    return false;
  });
  return { kept: sections.join(""), leftOut };
}

export interface CodeOrigin {
  /** Without the name and password it may hold; empty where the repository has no `origin`. */
  readonly remoteUrl: string;
  readonly commit: string;
}

/** Where the code around `folder` comes from; undefined outside git's reach. */
export async function readCodeOrigin(folder: string): Promise<CodeOrigin | undefined> {
  try {
    const commit = (await git(folder, "rev-parse", "HEAD")).trim();
    const url = await git(folder, "config", "--get", "remote.origin.url").catch(() => "");
    return { commit, remoteUrl: withoutSecrets(url.trim()) };
  } catch {
    return undefined;
  }
}

/** `https://name:token@host/…` is how tokens end up where everybody reads them. */
function withoutSecrets(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)[^/]*@/i, (whole, scheme: string) =>
    /^ssh:/i.test(scheme) && !whole.includes(":", scheme.length) ? whole : scheme,
  );
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
