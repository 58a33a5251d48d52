import type { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import { deriveSeed, Random } from "../../../policies/random.ts";
import type { LearnerOrder } from "../algorithm.ts";
import { createStudent } from "./create-student.ts";
import { Distillation } from "./distillation.ts";
import type { DistillationConfig } from "./settings.ts";

/** What a learner must know of the teacher. */
export interface TeacherFacts {
  /** Of its actions, where it is a distribution. */
  readonly std: Float32Array | undefined;
}

/** @param student default: a new one. @throws RunningError, LearningError when the configuration doesn't fit. */
export function createLearner(
  { config, spec, facts, compile }: LearnerOrder<DistillationConfig>,
  student: NetworkPolicy = createStudent(config, spec),
): Distillation {
  const { std } = facts as TeacherFacts;
  return new Distillation(student, {
    settings: config.algorithm,
    deviations: { teacher: std, student: config.policy.init_noise_std },
    random: new Random(deriveSeed(config.seed, "buffer")),
    ...(compile && { compile }),
  });
}
