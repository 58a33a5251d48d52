import { existsSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { readCheckpointFile } from "../../policies/checkpoint/checkpoint-file.ts";
import type { Algorithm, SavedRun } from "../algorithms/algorithm.ts";
import { howToCall } from "../disk/how-to-call.ts";
import { rowsReach } from "../metrics/files/jsonl.ts";
import { openRun } from "../runs/open-run.ts";
import { refuseLinks } from "../runs/refuse-links.ts";
import { RunError } from "../runs/run-error.ts";
import type { RunFolder } from "../runs/run-folder.ts";
import { refuseLivingFlight } from "../runs/run-lock.ts";
import type { ResumeRequest } from "./train-input.ts";

/** A run to go on with, before its configuration is read. */
export interface FoundRun {
  readonly run: RunFolder;
  /** Paths of checkpoints that will do, the likeliest first; one alone where it was named, or is insisted on. */
  readonly checkpoints: readonly string[];
  /** A person named the file: what its rows are is their business. */
  readonly named: boolean;
}

/** Where it goes on, and what of the run is no use. */
export interface ResumePoint {
  readonly run: RunFolder;
  readonly saved: SavedRun;
  /** Names of checkpoints that can't be read. */
  readonly damaged: readonly string[];
  /** Lines for people: why it isn't the newest. */
  readonly remarks: readonly string[];
}

export interface FindOptions {
  /** Where a bare `--resume` looks. */
  readonly experiment: () => string;
  /** The newest checkpoint or none. */
  readonly strict: boolean;
}

/** @throws RunError, CheckpointError when there is no such run, it is in progress, or is not ours */
export async function findRun(
  { path, ...patterns }: ResumeRequest,
  { experiment, strict }: FindOptions,
): Promise<FoundRun> {
  const where = path ?? experiment();
  const { run, checkpoint } = await openRun(where, patterns);
  refuseLinks(run.path);
  await refuseLivingFlight(run.path);
  const isFile = statSync(where, { throwIfNoEntry: false })?.isFile() === true;
  const named = isFile || patterns.checkpoint !== undefined;
  if (named || strict) {
    await refuseForeign(checkpoint);
    return { run, checkpoints: [checkpoint], named };
  }
  const best = join(run.path, "best_model.pt");
  const checkpoints = [...(await run.checkpoints()), ...(existsSync(best) ? [best] : [])];
  await refuseForeignRun(checkpoints);
  return { run, checkpoints, named };
}

/** The newest checkpoint that is whole and whose rows are there: a run that goes on has no hole. @throws RunError */
export async function resumePoint(found: FoundRun, algorithm: Algorithm): Promise<ResumePoint> {
  const { run, checkpoints, named } = found;
  const reach = existsSync(run.metricsPath) ? ((await rowsReach(run.metricsPath)) ?? 0) : Infinity;
  const damaged: string[] = [];
  const remarks: string[] = [];
  let failure: unknown;
  for (const path of checkpoints) {
    const saved = await algorithm.read(path).catch((error: unknown) => {
      if (checkpoints.length === 1 || !isDamage(error)) throw error;
      failure ??= error;
      damaged.push(basename(path));
      remarks.push(`${(error as Error).message}; it is put into damaged/`);
    });
    if (!saved) continue;
    const { iteration } = saved.state.progress;
    if (iteration <= reach || named) {
      if (iteration > reach) remarks.push(hole(run, reach, iteration));
      else if (remarks.length > 0) remarks.push(`going on from ${path}`);
      return { run, saved, damaged, remarks };
    }
    failure ??= rowsLost(run, path, reach);
    remarks.push(`${path}: ${hole(run, reach, iteration)}`);
  }
  throw failure;
}

function hole({ metricsPath }: RunFolder, from: number, to: number): string {
  return `${metricsPath} has lost the rows of iterations ${from} to ${to - 1}`;
}

function rowsLost(run: RunFolder, path: string, reach: number): RunError {
  return new RunError(
    "rows-lost",
    `${path} is of a later iteration than the rows before it: ${run.metricsPath} has those before ${reach} alone, and no older checkpoint is left`,
    `Name it to go on with a hole in the figures: ${howToCall("train", "--resume", path)}`,
  );
}

/** Not somebody else's, of a later format, or gone: bytes that are not what was written. */
function isDamage(error: unknown): boolean {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  if (name === "CheckpointError") return code !== "no-such-file";
  return name === "RunError" && (code === "bad-checkpoint" || code === "bad-optimiser");
}

/** By the newest that can be read. @throws RunError `not-our-run` */
async function refuseForeignRun(checkpoints: readonly string[]): Promise<void> {
  for (const path of checkpoints) {
    try {
      await refuseForeign(path);
      return;
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  }
}

/** Before its configuration is looked for: somebody else's run need not have one. @throws RunError */
async function refuseForeign(checkpoint: string): Promise<void> {
  const { kind } = await readCheckpointFile(checkpoint);
  if (kind !== "ppo") return;
  throw new RunError(
    "not-our-run",
    `${checkpoint} is a PPO checkpoint: there is no distillation to go on with`,
    "Use it as a teacher: --checkpoint FILE without --resume.",
  );
}
