import type { TwoStageSettings } from "../../../src/algorithms/distillation/phases.ts";

/** The two stages of the reference, by iterations alone. */
export const noGates = {
  teacher_share_schedule: "two_stage",
  teacher_share_start: 1,
  teacher_share_end: 0,
  teacher_share_iterations: 1,
  gate_threshold: null,
  gate_iterations: 1,
  guard_threshold: null,
  guard_iterations: 1,
  guard_rest: 1,
} as const satisfies Partial<TwoStageSettings>;
