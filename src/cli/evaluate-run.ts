import { readCheckpointFile } from "../../policies/checkpoint/checkpoint-file.ts";
import { deriveSeed } from "../../policies/random.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
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
  const { file, facts, student } = await studentAt(path, env.spec);
  const { policy: teacher } = await rehireTeacher(file, facts.teacher, { spec: env.spec, path });
  try {
    const options = { env, student, teacher, episodes, seed: deriveSeed(seed, "evaluation") };
    return await evaluate({ ...options, ...(stop ? { stop } : {}) });
  } finally {
    student.dispose();
    teacher.dispose();
  }
}

/** Flies the students of two checkpoints side by side, in episodes that no evaluation uses: their mean returns. */
export async function compareStudents(
  [first, second]: readonly [string, string],
  { env, episodes, seed, stop }: Omit<EvaluateRunOptions, "run" | "checkpoint">,
): Promise<readonly [number, number]> {
  const { student } = await studentAt(first, env.spec);
  const { student: teacher } = await studentAt(second, env.spec);
  try {
    const options = { env, student, teacher, episodes, seed: deriveSeed(seed, "selection") };
    const flown = await evaluate({ ...options, ...(stop ? { stop } : {}) });
    return [flown.student_return, flown.teacher_return];
  } finally {
    student.dispose();
    teacher.dispose();
  }
}

async function studentAt(path: string, spec: EnvSpec) {
  const file = await readCheckpointFile(path);
  if (file.kind !== "distillation") {
    throw new RunError(
      "not-our-run",
      `${path} is a PPO checkpoint: it holds no student`,
      "Give a run of firstsolo, or a checkpoint in one.",
    );
  }
  const facts = readRunCheckpoint(file, path);
  return { file, facts, student: await studentOf(file, facts.student, { spec, path }) };
}
