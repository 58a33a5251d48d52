import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { foldersIn, timeOf } from "./folders.ts";
import { RunError } from "./run-error.ts";

/** Any of these makes a folder a run, from its first second on. */
const signs = ["run.json", "events.jsonl", "metrics.jsonl"];

/**
 * The folder of a run, which may not have a checkpoint yet: named itself, by a file in it, or by the folder of its
 * experiment, which means the newest in there. Without a path the newest of all. @throws RunError
 */
export function locateRun(path: string | undefined, root = join("logs", "rsl_rl")): string {
  if (path === undefined) return newestOf(experiments(root), `There is no run in ${resolve(root)}`);
  const absolute = resolve(path);
  const stat = statSync(absolute, { throwIfNoEntry: false });
  if (!stat) {
    const hint = "Name a run folder, or a checkpoint in one.";
    throw new RunError("no-such-run", `There is no ${absolute}`, hint);
  }
  const folder = stat.isFile() ? dirname(absolute) : absolute;
  return isRun(folder) ? folder : newestOf([folder], `${folder} is no run and holds none`);
}

function experiments(root: string): readonly string[] {
  return foldersIn(resolve(root));
}

function newestOf(parents: readonly string[], message: string): string {
  const runs = parents.flatMap(foldersIn).filter(isRun);
  const newest = runs
    .map((path) => ({ path, at: lastChange(path) }))
    .sort((a, b) => b.at - a.at)[0];
  if (newest) return newest.path;
  const hint = "Name a run folder, e.g. logs/rsl_rl/EXPERIMENT/DATE, or go where it was started.";
  throw new RunError("no-such-run", message, hint);
}

function isRun(folder: string): boolean {
  return signs.some((name) => timeOf(join(folder, name)) !== undefined);
}

/** Milliseconds. */
function lastChange(folder: string): number {
  return Math.max(...signs.map((name) => timeOf(join(folder, name)) ?? 0));
}
