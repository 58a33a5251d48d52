import { ConfigError } from "../../config/config-error.ts";
import { type Idle, idleWhere } from "../../config/idle.ts";
import { splitEnvs } from "../../running/env-split.ts";
import type { RunningError } from "../../running/running-error.ts";
import { firstPhase, teacherShare } from "./phases.ts";
import type { DistillationConfig } from "./settings.ts";
import { lengthRemark, remembers } from "./two-stages.ts";

/** Values that are fine one by one and make no sense together. @throws ConfigError */
export function crossCheck(config: DistillationConfig): void {
  checkSplit(config);
  checkSteps(config);
  checkSchedule(config.algorithm);
  checkMemory(config.policy);
}

function checkSplit({ num_envs, evaluation }: DistillationConfig): void {
  try {
    splitEnvs(num_envs, evaluation.env_share, ["student", "teacher"]);
  } catch (cause) {
    const { code, message, hint } = cause as RunningError;
    throw new ConfigError(code, message, hint, { cause });
  }
  if (num_envs === 1 && evaluation.final_episodes > 0) {
    throw new ConfigError(
      "no-comparison",
      "The evaluation at the end flies the student and the teacher side by side; num_envs is 1",
      "Use more environments (--num_envs), or set evaluation.final_episodes=0.",
    );
  }
}

function checkSteps({ num_steps_per_env, algorithm }: DistillationConfig): void {
  const { num_learning_epochs, gradient_length, drop_leftover_steps } = algorithm;
  if (drop_leftover_steps && remembers(algorithm)) {
    throw new ConfigError(
      "two-references",
      `drop_leftover_steps is rsl_rl's habit, and rsl_rl has no buffer; buffer_size is ${algorithm.buffer_size}, buffer_rollouts ${algorithm.buffer_rollouts}`,
      "Set algorithm.drop_leftover_steps=false, or algorithm.buffer_size=0 algorithm.buffer_rollouts=0.",
    );
  }
  const seen = num_steps_per_env * num_learning_epochs;
  if (!drop_leftover_steps || seen >= gradient_length) return;
  throw new ConfigError(
    "never-learns",
    `drop_leftover_steps with gradient_length ${gradient_length} drops every step: an iteration has ${num_steps_per_env} steps × ${num_learning_epochs} epochs = ${seen}`,
    `Set algorithm.gradient_length to at most ${seen}, or algorithm.drop_leftover_steps=false.`,
  );
}

function checkSchedule(algorithm: DistillationConfig["algorithm"]): void {
  const { learning_rate_schedule, learning_rate_last } = algorithm;
  const { teacher_share_schedule, teacher_share_start } = algorithm;
  if (learning_rate_schedule === "exponential" && learning_rate_last === 0) {
    throw new ConfigError(
      "no-end-of-schedule",
      "An exponential learning_rate_schedule never gets to learning_rate_last 0",
      "Set algorithm.learning_rate_last above 0, e.g. 0.02, or the schedule to cosine.",
    );
  }
  if (teacher_share_schedule === "exponential" && teacher_share_start === 0) {
    throw new ConfigError(
      "no-start-of-schedule",
      "An exponential teacher_share_schedule never leaves teacher_share_start 0",
      "Set algorithm.teacher_share_start above 0, e.g. 1, or the schedule to linear.",
    );
  }
}

function checkMemory({
  rnn_type,
  history_length,
  student_obs_normalization,
}: DistillationConfig["policy"]): void {
  if (history_length === 1) return;
  const other =
    rnn_type === null ? student_obs_normalization && "student_obs_normalization" : "rnn_type";
  if (other === false) return;
  throw new ConfigError(
    "two-memories",
    `policy.history_length ${history_length} can't be combined with policy.${other}`,
    `Set policy.history_length=1, or drop policy.${other}.`,
  );
}

/** What is allowed and probably not meant. */
export function remarks(config: DistillationConfig): readonly string[] {
  const never = whyNeverFlown(config);
  if (never === undefined) return [lengthRemark(config) ?? []].flat();
  return [`The student never flies in training: ${never}; it only watches the teacher`];
}

function whyNeverFlown({ algorithm, max_iterations }: DistillationConfig): string | undefined {
  const { phase1_iterations, gate_threshold, teacher_share_schedule } = algorithm;
  const settings = { ...algorithm, max_iterations };
  const phase = firstPhase(settings);
  if (phase.phase === 1) {
    if (gate_threshold !== null || phase.to < max_iterations) return undefined;
    return `phase1_iterations ${phase1_iterations} of max_iterations ${max_iterations}`;
  }
  // The share goes one way only, so its ends tell.
  const ends = [0, max_iterations - 1].map((i) => teacherShare(phase, i, settings));
  if (ends.some((share) => share < 1)) return undefined;
  return `teacher_share_schedule ${teacher_share_schedule} stays at 1`;
}

export function idleKeys({ algorithm, policy, evaluation }: DistillationConfig): readonly Idle[] {
  const { use_two_stage_training, teacher_share_schedule: schedule } = algorithm;
  return idleWhere([
    [
      /^algorithm\.normaliser_update$/,
      !policy.student_obs_normalization,
      "policy.student_obs_normalization is false",
    ],
    [/^policy\.rnn_(hidden_dim|num_layers)$/, policy.rnn_type === null, "policy.rnn_type is null"],
    [
      /^algorithm\.(teacher_share|gate|guard|phase1)_/,
      !use_two_stage_training,
      "algorithm.use_two_stage_training is false",
    ],
    [
      /^algorithm\.(gate|guard|phase1)_/,
      schedule !== "two_stage",
      `algorithm.teacher_share_schedule is ${schedule}`,
    ],
    [
      /^algorithm\.teacher_share_(start|end|iterations)$/,
      schedule === "two_stage",
      "algorithm.teacher_share_schedule is two_stage",
    ],
    [
      /^algorithm\.(gate|guard)_/,
      evaluation.env_share === 0,
      "evaluation.env_share is 0, so that nothing is measured",
    ],
    [/^algorithm\.gate_/, algorithm.gate_threshold === null, "algorithm.gate_threshold is null"],
    [/^algorithm\.guard_/, algorithm.guard_threshold === null, "algorithm.guard_threshold is null"],
  ]);
}
