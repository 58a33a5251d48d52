/** The programs that users read our files with, from PyPI, in an environment of their own. */
import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { putWholeSync } from "../../src/disk/whole-file.ts";
import { readyPython } from "../python-env.ts";

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

/** What `requirements.txt` names; the set-up before all tests has installed it. */
export async function metricsTools(): Promise<Tools> {
  const python = readyPython("metrics");
  const wandb = join(dirname(python), "wandb");
  // pip's own start file names the Python that ran pip.
  putWholeSync(wandb, `#!/bin/sh\nexec '${python}' -m wandb "$@"\n`, 0o755);
  return { python, wandb };
}
