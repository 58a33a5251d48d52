import { readCheckpointFile } from "../../policies/checkpoint/checkpoint-file.ts";
import { deriveSeed } from "../../policies/random.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import { type Evaluation, evaluate } from "../running/evaluate.ts";
import { readRunCheckpoint } from "../runs/checkpoint.ts";
import { RunError } from "../runs/run-error.ts";
import type { RunFolder } from "../runs/run-folder.ts";
import { rehireTeacher, studentOf } from "./crew.ts";

export interface EvaluateRunOptions {
  readonly run: RunFolder;
  readonly env: VectorEnv;
  readonly episodes: number;
  /** The run's; the episodes are drawn from a seed of their own. */
  readonly seed: number;
  /** Instead of the best student, or the last where there is no best. */
  readonly checkpoint?: string;
  readonly stop?: AbortSignal;
}

/** Flies the student of a checkpoint and the teacher it holds: the same figures for the same seed and fleet. */
export async function evaluateRun(options: EvaluateRunOptions): Promise<Evaluation> {
  const { run, env, episodes, seed, stop } = options;
  const path =
    options.checkpoint ??
    (await run.bestCheckpoint()) ??
    (await run.latestCheckpoint()) ??
    run.path;
  const file = await readCheckpointFile(path);
  if (file.kind !== "distillation") {
    throw new RunError(
      "not-our-run",
      `${path} is a PPO checkpoint: it holds no student`,
      "Give a run of firstsolo, or a checkpoint in one.",
    );
  }
  const facts = readRunCheckpoint(file, path);
  const { spec } = env;
  const student = await studentOf(file, facts.student, { spec, path });
  const { policy: teacher } = await rehireTeacher(file, facts.teacher, { spec, path });
  try {
    const options = { env, student, teacher, episodes, seed: deriveSeed(seed, "evaluation") };
    return await evaluate({ ...options, ...(stop ? { stop } : {}) });
  } finally {
    student.dispose();
    teacher.dispose();
  }
}
