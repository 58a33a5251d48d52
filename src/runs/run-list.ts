import { existsSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { linesOf } from "../disk/lines.ts";
import { decodeRow, parseObject } from "../metrics/files/jsonl-row.ts";
import { descriptionIn, distillationRun } from "../metrics/read-description.ts";
import type { Headline } from "../metrics/run-description.ts";
import { getJson, presenceOf } from "./control-files.ts";
import { foldersIn } from "./folders.ts";
import { RunError } from "./run-error.ts";

/** `broken off`: it ended without a summary; `hidden`: another user's, of whom nobody can tell. */
export type RunStatus = "flying" | "silent" | "finished" | "stopped" | "broken off" | "hidden";

export interface ListedRun {
  /** Path of its folder. */
  readonly path: string;
  readonly task: string;
  readonly algorithm: string;
  readonly state: RunStatus;
  /** Iterations with a row, and how many there are by plan; null where nobody says. */
  readonly iterations: number;
  readonly of: number | null;
  /** What `best` and `last` measure, e.g. `Eval/student_return`. */
  readonly metric: string;
  readonly best: number | null;
  readonly last: number | null;
  /** Unix seconds: when it began. */
  readonly started: number | null;
}

/** All runs two below a folder, the latest last. @throws RunError `no-such-run` where there is none */
export async function listRuns(root: string): Promise<readonly ListedRun[]> {
  const folders = [root, ...foldersIn(root)].flatMap(foldersIn).filter(isRun);
  const runs = await Promise.all(folders.map(readRun));
  if (runs.length > 0) return runs.sort((a, b) => (a.started ?? 0) - (b.started ?? 0));
  throw new RunError(
    "no-such-run",
    `There is no run below ${root}`,
    "Name the folder of all experiments, or of one: firstsolo runs FOLDER.",
  );
}

function isRun(folder: string): boolean {
  return ["events.jsonl", "metrics.jsonl"].some((name) => existsSync(join(folder, name)));
}

async function readRun(path: string): Promise<ListedRun> {
  const start = await startOf(path);
  const { algorithm, headline } = descriptionIn(start ?? {}) ?? distillationRun;
  const shown = headline.find(({ scale }) => scale === "linear") ?? headline[0];
  const { max_iterations: planned, time } = start ?? {};
  return {
    path,
    algorithm,
    task: typeof start?.task === "string" ? start.task : taskOf(path, algorithm),
    state: stateOf(path),
    of: typeof planned === "number" ? planned : null,
    started: typeof time === "number" ? time : null,
    ...(await figuresOf(path, shown)),
  };
}

/** What the run says of itself: the first `start` event. */
async function startOf(path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  for await (const { text } of linesOf(join(path, "events.jsonl"))) {
    const event = parseObject(text);
    if (event?.type === "start") return event;
  }
  return undefined;
}

/** By the name of the experiment, which is made of both where nobody chose another. */
function taskOf(path: string, algorithm: string): string {
  const experiment = basename(join(path, ".."));
  const end = `_${algorithm}`;
  return experiment.endsWith(end) ? experiment.slice(0, -end.length) : experiment;
}

function stateOf(path: string): RunStatus {
  const { state } = presenceOf(path);
  if (state !== "ended") return state;
  const summary = getJson(join(path, "summary.json"));
  if (summary === undefined) return "broken off";
  return summary.finished === true ? "finished" : "stopped";
}

async function figuresOf(path: string, shown: Headline | undefined) {
  const { metric = "", scale = "linear" } = shown ?? {};
  const better = scale === "linear" ? Math.max : Math.min;
  let iterations = 0;
  let best: number | null = null;
  let last: number | null = null;
  for await (const { text } of linesOf(join(path, "metrics.jsonl"))) {
    const row = decodeRow(text);
    if (row === undefined) continue;
    iterations = row.iteration + 1;
    const value = row.metrics[metric];
    if (value === undefined || !Number.isFinite(value)) continue;
    last = value;
    best = best === null ? value : better(best, value);
  }
  return { metric, iterations, best, last };
}

/** As a person names it from here. */
export function shortPath(path: string, cwd: string): string {
  const near = relative(cwd, path);
  return near.length < path.length && !near.startsWith("..") ? near : path;
}
