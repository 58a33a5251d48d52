import { firstPhase, teacherShare } from "../algorithms/distillation/two-stage-plan.ts";
import type { Config } from "./schema.ts";

/**
 * What is allowed and probably not meant.
 *
 * @param changed dotted names of the keys whose values are not the defaults
 */
export function warningsOf(config: Config, changed: readonly string[]): readonly string[] {
  const reasons = idleReasons(config);
  const idle = changed.flatMap((key) => {
    const why = reasons.find(({ keys }) => keys.test(key))?.why;
    return why === undefined ? [] : [`${key} (${why})`];
  });
  const never = whyNeverFlown(config);
  return [
    ...(never === undefined
      ? []
      : [`The student never flies in training: ${never}; it only watches the teacher`]),
    ...(idle.length > 0 ? [`No effect here: ${idle.join("; ")}`] : []),
  ];
}

function whyNeverFlown({ algorithm, max_iterations }: Config): string | undefined {
  const { phase1_iterations, gate_threshold, teacher_share_schedule } = algorithm;
  const settings = { ...algorithm, max_iterations };
  const phase = firstPhase(settings);
  if (phase.phase === 1) {
    if (gate_threshold !== null || phase1_iterations < max_iterations) return undefined;
    return `phase1_iterations ${phase1_iterations} of max_iterations ${max_iterations}`;
  }
  // The share goes one way only, so its ends tell.
  const ends = [0, max_iterations - 1].map((i) => teacherShare(phase, i, settings));
  if (ends.some((share) => share < 1)) return undefined;
  return `teacher_share_schedule ${teacher_share_schedule} stays at 1`;
}

interface IdleReason {
  readonly keys: RegExp;
  readonly why: string;
}

/** Keys that nobody asks for, in this configuration. */
function idleReasons({ algorithm, policy, evaluation }: Config): readonly IdleReason[] {
  const { use_two_stage_training, teacher_share_schedule: schedule } = algorithm;
  const reasons: [RegExp, boolean, string][] = [
    [/^policy\.rnn_(hidden_dim|num_layers)$/, policy.rnn_type === null, "policy.rnn_type is null"],
    [
      /^algorithm\.(teacher_share|gate|guard)_/,
      !use_two_stage_training,
      "algorithm.use_two_stage_training is false",
    ],
    [
      /^algorithm\.(gate|guard)_/,
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
  ];
  return reasons.flatMap(([keys, holds, why]) => (holds ? [{ keys, why }] : []));
}
