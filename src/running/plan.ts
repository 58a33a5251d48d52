/** One phase of the hand-over: who flies the training rows, and for how long. */
export interface Phase {
  readonly number: 1 | 2;
  /** Who flies the training rows. */
  readonly driver: "teacher" | "student";
  /** As the console shows it. */
  readonly label: string;
  /** First iteration of this phase. */
  readonly from: number;
  /** Iteration after its last. */
  readonly to: number;
}

export interface PlanSettings {
  readonly use_two_stage_training: boolean;
  readonly phase1_iterations: number;
  readonly max_iterations: number;
}

/** The phases in order; without two stages the student drives from the start. */
export function planPhases(settings: PlanSettings): readonly Phase[] {
  const { use_two_stage_training, phase1_iterations, max_iterations } = settings;
  const handOver = use_two_stage_training ? Math.min(phase1_iterations, max_iterations) : 0;
  const first: Phase = {
    number: 1,
    driver: "teacher",
    label: "Phase 1 (teacher actions)",
    from: 0,
    to: handOver,
  };
  const second: Phase = {
    number: 2,
    driver: "student",
    label: "Phase 2 (student actions)",
    from: handOver,
    to: max_iterations,
  };
  return handOver === 0 ? [second] : [first, second];
}
