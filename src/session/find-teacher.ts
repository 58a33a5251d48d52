import { statSync } from "node:fs";
import { join } from "node:path";
import { type ResolveInput, resolveConfig } from "../config/resolve.ts";
import { openRun } from "../runs/open-run.ts";
import type { TeacherRequest } from "./train-input.ts";

/**
 * The configuration with the teacher's file in it that Isaac Lab's patterns mean: of the runs in
 * LOG_ROOT/EXPERIMENT_NAME whose name begins with `load_run` the last in alphabetical order, in it
 * the file by `checkpoint`, or else the best, or the last. What stands before the last slash of
 * `load_run` names another folder: in LOG_ROOT, or from here.
 *
 * @throws RunError that lists what is there
 */
export async function withTeacher(
  config: ResolveInput,
  { load_run, checkpoint }: TeacherRequest,
): Promise<ResolveInput> {
  const { log_root, experiment_name } = resolveConfig(config).config;
  const slash = load_run.lastIndexOf("/");
  const experiment = slash < 0 ? join(log_root, experiment_name) : load_run.slice(0, slash) || "/";
  const inRoot = join(log_root, experiment);
  const folder = slash >= 0 && isFolder(inRoot) ? inRoot : experiment;
  const pattern = load_run.slice(slash + 1);
  const found = await openRun(folder, {
    load_run: pattern,
    prefer: "best",
    ...(checkpoint === undefined ? {} : { checkpoint }),
  });
  const setting = { name: "checkpoint", value: found.checkpoint, origin: `--load_run ${load_run}` };
  return { ...config, flags: [...(config.flags ?? []), setting] };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
