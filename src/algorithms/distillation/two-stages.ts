import type { DistillationConfig } from "./settings.ts";

/** Shares of a run that phase 1 had where the change of hands cost least. */
const [least, most] = [1 / 3, 1 / 2];

/** Task by whose name the whole of the hand-over is asked for: the teacher flies, then the student. */
export function recipe(task: string): Readonly<Record<string, unknown>> {
  return task === "distillation" ? { "algorithm.use_two_stage_training": true } : {};
}

/**
 * As in rsl_rl the student flies from the start, unless two stages are asked for: by their name, by a length of the
 * first, or by a schedule that mixes both pilots. Without a length the first is a third of the run.
 */
export function settle(
  config: DistillationConfig,
  named: (key: string) => boolean,
): DistillationConfig {
  const { use_two_stage_training, phase1_iterations, teacher_share_schedule } = config.algorithm;
  const isMixed = teacher_share_schedule !== "two_stage";
  const on = named("algorithm.use_two_stage_training")
    ? use_two_stage_training
    : isMixed || (phase1_iterations ?? 0) > 0;
  const third = Math.max(1, Math.round(least * config.max_iterations));
  const length = on && !isMixed ? (phase1_iterations ?? third) : phase1_iterations;
  const settled = { use_two_stage_training: on, phase1_iterations: length };
  return { ...config, algorithm: { ...config.algorithm, ...settled } };
}

/** Of a length that somebody chose: undefined where nothing is odd about it. */
export function lengthRemark({
  algorithm,
  max_iterations,
}: DistillationConfig): string | undefined {
  const { use_two_stage_training, phase1_iterations: length, gate_threshold } = algorithm;
  const isPlanned = use_two_stage_training && algorithm.teacher_share_schedule === "two_stage";
  if (!isPlanned || length === null || length === 0 || length >= max_iterations) return undefined;
  const isShort = length < Math.floor(least * max_iterations);
  // A gate may open before.
  const isLong = length > Math.ceil(most * max_iterations) && gate_threshold === null;
  if (!isShort && !isLong) return undefined;
  const range = [least, most].map((share) => Math.round(share * max_iterations)).join(" to ");
  return `phase1_iterations ${length} of max_iterations ${max_iterations}: a third to a half of the run (${range}) ${isShort ? "makes the change of hands gentler" : "leaves the student time to fly"}`;
}
