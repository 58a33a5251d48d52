import { type ChildProcess, spawn } from "node:child_process";

/** Characters of output kept of a command; older ones are dropped. */
const KEPT = 64 * 1024;

export interface CommandResult {
  /** Exit status; null when it could not be started or was killed. */
  readonly status: number | null;
  /** Set when a signal ended it, e.g. `SIGILL`. */
  readonly signal?: string;
  readonly stdout: string;
  readonly stderr: string;
  /** Why it was stopped from here, or could not be started. */
  readonly stopped?: "not-found" | "not-started" | "timeout" | "stalled";
}

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to the environment; `undefined` takes a name away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** milliseconds */
  readonly timeout: number;
  /** Bytes done so far; called about once a second. */
  readonly measure?: () => number;
  /** Told what `measure` found, with the seconds since the start. */
  readonly progress?: (bytes: number, seconds: number) => void;
  /** Stop when `measure` has not changed for so many milliseconds. */
  readonly stall?: number;
}

/** The border to other programs: the only thing a test of the installer replaces. */
export type RunCommand = (
  command: string,
  args: readonly string[],
  options: CommandOptions,
) => Promise<CommandResult>;

/** Runs a program in a process group of its own, so that stopping it stops its children too. */
export const runCommand: RunCommand = (command, args, options) =>
  new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: mergedEnvironment(options.env ?? {}),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const kept = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        kept[name] = (kept[name] + text).slice(-KEPT);
      });
    }
    let stopped: CommandResult["stopped"];
    const stopWatching = watch(child, options, (why) => {
      stopped = why;
    });
    const finish = (status: number | null, signal?: string | null) => {
      stopWatching();
      resolve({
        status,
        ...kept,
        ...(signal ? { signal } : {}),
        ...(stopped === undefined ? {} : { stopped }),
      });
    };
    child.on("error", (error: NodeJS.ErrnoException) => {
      stopped = error.code === "ENOENT" ? "not-found" : "not-started";
      finish(null);
    });
    // "exit" and not "close": a grandchild may hold the pipe open for ever.
    child.on("exit", (status, signal) => setTimeout(() => finish(status, signal), 20));
  });

function mergedEnvironment(extra: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  const merged: NodeJS.ProcessEnv = { ...process.env, ...extra };
  for (const name of Object.keys(merged)) if (merged[name] === undefined) delete merged[name];
  return merged;
}

/** Bounds a child in time and takes it down with this process; returns how to stop watching. */
function watch(
  child: ChildProcess,
  options: CommandOptions,
  onStop: (why: "timeout" | "stalled") => void,
): () => void {
  const start = Date.now();
  let last = { bytes: -1, at: start };
  const stop = (why: "timeout" | "stalled") => {
    onStop(why);
    killGroup(child);
  };
  const ticker = setInterval(() => {
    const now = Date.now();
    if (now - start > options.timeout) return stop("timeout");
    const bytes = options.measure?.();
    if (bytes === undefined) return;
    if (bytes !== last.bytes) last = { bytes, at: now };
    else if (options.stall !== undefined && now - last.at > options.stall) return stop("stalled");
    options.progress?.(bytes, (now - start) / 1000);
  }, 1000);
  const onSignal = (signal: NodeJS.Signals) => {
    killGroup(child);
    process.exit(signal === "SIGINT" ? 130 : 143);
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return () => {
    clearInterval(ticker);
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  };
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL");
  }
}
