/** Online W&B without upload code of ours: W&B's own program follows the file while it grows. */

import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { wordsOf } from "../../../protocol/visible.ts";
import type { WandbFolder } from "./run-folder.ts";

/** The part of node's `spawn` that is needed; tests and sandboxes put their own here. */
export type SpawnProgram = (
  program: string,
  args: readonly string[],
  options: SpawnOptions,
) => ChildProcess;

export interface LiveOptions {
  /** Default: `wandb`, found on the PATH. */
  readonly program?: string;
  readonly spawn?: SpawnProgram;
  /** Receives remarks for people. */
  readonly say: (line: string) => void;
}

export interface LiveUpload {
  readonly running: boolean;
  /**
   * Waits until all is uploaded, at most that many seconds; then it goes on without us.
   * Call it once the exit record is written: that is what ends the program.
   */
  finish(seconds: number): Promise<void>;
  /** Ends the upload at once; what is missing is for `wandb sync`. */
  kill(): void;
}

/** Starts `wandb beta sync --live` on a run that is being written. Never throws. */
export function startLive(folder: WandbFolder, options: LiveOptions): LiveUpload {
  const log = join(folder.logs, "live-sync.log");
  const child = launch(folder, log, options);
  if (!child) return { running: false, finish: async () => {}, kill() {} };
  let ended = false;
  const kill = () => {
    if (!ended) child.kill("SIGINT");
  };
  // A run that dies without an exit record would be followed for ever.
  process.once("exit", kill);
  const end = new Promise<void>((resolve) => {
    const done = (line?: string) => {
      if (ended) return;
      ended = true;
      process.removeListener("exit", kill);
      if (line) options.say(line);
      resolve();
    };
    child.once("error", (error) => done(notStarted(folder, error)));
    child.once("exit", (code, signal) => {
      done(code === 0 || signal === "SIGINT" ? undefined : failed(folder, log, code ?? signal));
    });
  });
  return {
    get running() {
      return !ended;
    },
    finish: (seconds) => finish(child, end, seconds, { kill, say: options.say }),
    kill,
  };
}

function launch(folder: WandbFolder, log: string, options: LiveOptions): ChildProcess | undefined {
  let out: number | undefined;
  try {
    out = openSync(log, "a");
    const child = (options.spawn ?? spawn)(
      options.program ?? "wandb",
      ["beta", "sync", "--live", "--yes", folder.path],
      // Its own session: the Ctrl-C that ends the run must not end the upload of its last rows.
      { stdio: ["ignore", out, out], detached: true },
    );
    child.unref();
    return child;
  } catch (error) {
    options.say(notStarted(folder, error));
    return undefined;
  } finally {
    if (out !== undefined) closeSync(out);
  }
}

async function finish(
  child: ChildProcess,
  end: Promise<void>,
  seconds: number,
  { kill, say }: { readonly kill: () => void; readonly say: (line: string) => void },
): Promise<void> {
  child.ref();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), seconds * 1000);
  });
  const first = await Promise.race([end, late]);
  clearTimeout(timer);
  child.unref();
  if (first !== "late") return;
  process.removeListener("exit", kill);
  say(`W&B is still uploading after ${seconds} s; it goes on in the background`);
}

function notStarted(folder: WandbFolder, error: unknown): string {
  const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
  const why = missing ? "the wandb program is not installed (pip install wandb)" : wordsOf(error);
  return `W&B stays offline: ${why}; upload later with: wandb sync ${folder.path}`;
}

function failed(folder: WandbFolder, log: string, status: number | string | null): string {
  let last = "";
  try {
    last = readFileSync(log, "utf8").trim().split("\n").at(-1) ?? "";
  } catch {
    // The status alone must do.
  }
  const words = last === "" ? "" : ` (${last})`;
  return `wandb beta sync --live ended with ${status}${words}; upload later with: wandb sync ${folder.path}`;
}
