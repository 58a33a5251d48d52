import { readCheckpointFile } from "../../policies/checkpoint/checkpoint-file.ts";
import { deriveSeed } from "../../policies/random.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import { readRunCheckpoint } from "../algorithms/distillation/run-checkpoint.ts";
import { type EvaluateOptions, type Evaluation, evaluate } from "../running/evaluate.ts";
import { RunError } from "../runs/run-error.ts";
import { rehireTeacher, studentOf } from "./create-student.ts";

export interface FlightOptions {
  readonly env: VectorEnv;
  readonly episodes: number;
  /** The run's; the episodes are drawn from a seed of their own. */
  readonly seed: number;
  readonly stop?: AbortSignal;
}

/** Flies the student of a checkpoint and the teacher it holds: the same figures for the same seed and fleet. */
export async function evaluateRun(path: string, options: FlightOptions): Promise<Evaluation> {
  const { spec } = options.env;
  const { file, facts, student } = await studentAt(path, spec);
  const { policy: teacher } = await rehireTeacher(file, facts.teacher, { spec, path });
  return flySideBySide({ student, teacher }, "evaluation", options);
}

/** Flies the students of two checkpoints side by side, in episodes that no evaluation uses: their mean returns. */
export async function compareStudents(
  [first, second]: readonly [string, string],
  options: FlightOptions,
): Promise<readonly [number, number]> {
  const { student } = await studentAt(first, options.env.spec);
  const { student: teacher } = await studentAt(second, options.env.spec);
  const flown = await flySideBySide({ student, teacher }, "selection", options);
  return [flown.student_return, flown.teacher_return];
}

/** @param purpose draws the episodes; the pilots are disposed of. */
async function flySideBySide(
  { student, teacher }: Pick<EvaluateOptions, "student" | "teacher">,
  purpose: string,
  { env, episodes, seed, stop }: FlightOptions,
): Promise<Evaluation> {
  try {
    const options = { env, student, teacher, episodes, seed: deriveSeed(seed, purpose) };
    return await evaluate({ ...options, ...(stop ? { stop } : {}) });
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
