import type { DistillationConfig } from "./settings.ts";
import type { DistillationSettings } from "./update-settings.ts";

/** Shares of a run that phase 1 had where the change of hands cost least. */
const [least, most] = [1 / 3, 1 / 2];
/** With past rollouts to learn from the change costs nothing, and what the student sees by itself is worth more. */
const short = 1 / 20;

/**
 * Task by whose name the whole of the hand-over is asked for: the teacher flies, then the student. As it gets to 95 %
 * of the teacher soonest in fleets of 16 to 4096 (`npm run bench -- goal`).
 */
export function recipe(task: string): Readonly<Record<string, unknown>> {
  if (task !== "distillation") return {};
  return {
    "algorithm.use_two_stage_training": true,
    "algorithm.buffer_rollouts": 25,
    "algorithm.learning_rate": 2e-3,
  };
}

/** Past rollouts are learned from again. */
export function remembers({
  buffer_size,
  buffer_rollouts,
}: Pick<DistillationSettings, "buffer_size" | "buffer_rollouts">): boolean {
  return buffer_size > 0 || buffer_rollouts > 0;
}

/**
 * As in rsl_rl the student flies from the start, unless two stages are asked for: by their name, by a length of the
 * first, or by a schedule that mixes both pilots. Without a length the first is a third of the run, or a
 * twentieth where past rollouts are learned from again.
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
  const usual = remembers(config.algorithm) ? short : least;
  const whole = Math.max(1, Math.round(usual * config.max_iterations));
  const length = on && !isMixed ? (phase1_iterations ?? whole) : phase1_iterations;
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
  const isShort = !remembers(algorithm) && length < Math.floor(least * max_iterations);
  // A gate may open before.
  const isLong = length > Math.ceil(most * max_iterations) && gate_threshold === null;
  if (!isShort && !isLong) return undefined;
  const range = [least, most].map((share) => Math.round(share * max_iterations)).join(" to ");
  return `phase1_iterations ${length} of max_iterations ${max_iterations}: a third to a half of the run (${range}) ${isShort ? "makes the change of hands gentler" : "leaves the student time to fly"}`;
}
