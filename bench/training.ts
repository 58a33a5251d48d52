/** One whole `firstsolo train`, watched from outside. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program } from "./children.ts";
import { childrenOf, lookAt, type ProcessFigures } from "./process-memory.ts";

/** What `summary.json` holds, as far as it is shown here. */
export interface Summary {
  readonly student_return: number | null;
  readonly teacher_return: number | null;
  readonly student_vs_teacher: number | null;
  readonly episodes: number;
  readonly environment_steps: number;
  /** The loop's, without start and final evaluation. */
  readonly seconds: number;
}

/** One look at both processes. */
export interface Sample {
  readonly iteration: number;
  readonly runner: ProcessFigures;
  readonly simulator: ProcessFigures;
}

export interface Training {
  readonly summary: Summary;
  /** From the start of the process to its end, final evaluation included. */
  readonly wallSeconds: number;
  /** About five a second; none where there is no /proc. */
  readonly samples: readonly Sample[];
  /** Its folder; gone unless `logs` was given. */
  readonly run: string;
}

export interface Watch {
  /** Patience. */
  readonly seconds: number;
  /** Where its folder is left; absent: nowhere. */
  readonly logs?: string;
}

/** @throws Error with the last line of a run that failed. */
export async function trainWatched(args: readonly string[], watched: Watch): Promise<Training> {
  const { seconds, logs = mkdtempSync(join(tmpdir(), "firstsolo-bench-")) } = watched;
  const start = performance.now();
  const all = [program, "train", "--ui", "none", "--log_root", logs, ...args];
  const child = spawn(process.execPath, all, { stdio: ["ignore", "ignore", "pipe"] });
  const output: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => output.push(text));
  const samples: Sample[] = [];
  const watch = setInterval(() => {
    const sample = look(child.pid ?? 0, logs);
    if (sample) samples.push(sample);
  }, 200);
  const killer = setTimeout(() => child.kill("SIGTERM"), seconds * 1000);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject).once("close", resolve);
    });
    if (code !== 0) throw new Error(output.join("").trim().split("\n").at(-1) || `exit ${code}`);
    const wallSeconds = (performance.now() - start) / 1000;
    const run = runFolder(logs) ?? logs;
    const summary = JSON.parse(readFileSync(join(run, "summary.json"), "utf8"));
    return { summary, wallSeconds, samples, run };
  } finally {
    clearInterval(watch);
    clearTimeout(killer);
    if (watched.logs === undefined) rmSync(logs, { recursive: true, force: true });
  }
}

function look(pid: number, logs: string): Sample | undefined {
  const runner = lookAt(pid);
  const simulator = childrenOf(pid).map(lookAt).find(Boolean);
  if (!runner || !simulator) return undefined;
  return { iteration: iterationsIn(logs), runner, simulator };
}

/** Iterations flown so far: the whole lines of metrics.jsonl. */
export function iterationsIn(logs: string): number {
  try {
    return (
      readFileSync(join(runFolder(logs) ?? logs, "metrics.jsonl"), "utf8").split("\n").length - 1
    );
  } catch {
    return 0;
  }
}

/** The first run under a log root; undefined while there is none. */
export function runFolder(logs: string): string | undefined {
  if (!existsSync(logs)) return undefined;
  const [experiment] = readdirSync(logs);
  if (experiment === undefined) return undefined;
  const [run] = readdirSync(join(logs, experiment));
  return run === undefined ? undefined : join(logs, experiment, run);
}

/** Processor seconds of the runner's loop: between the first and the last iteration that was seen. */
export function loopCpuSeconds({ samples }: Training): number | undefined {
  const last = samples.at(-1)?.iteration ?? 0;
  const from = samples.find(({ iteration }) => iteration > 0);
  const to = samples.find(({ iteration }) => iteration === last);
  if (!from || !to || from === to) return undefined;
  const flown = to.iteration - from.iteration;
  const seconds = to.runner.cpuSeconds - from.runner.cpuSeconds;
  return (seconds * last) / flown;
}

/** The most that either process held, and the processor time each had; empty without /proc. */
export function processFigures({ samples }: Training): Record<string, number> {
  const last = samples.at(-1);
  if (!last) return {};
  const most = (which: "runner" | "simulator") =>
    Math.round(Math.max(...samples.map((sample) => sample[which].peak)));
  return {
    "runner CPU s": last.runner.cpuSeconds,
    "simulator CPU s": last.simulator.cpuSeconds,
    "runner peak MB": most("runner"),
    "simulator peak MB": most("simulator"),
  };
}
