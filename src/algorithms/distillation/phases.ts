/** When the controls change hands, and how many episodes the teacher still flies. Pure functions. */

export type ShareSchedule = "two_stage" | "constant" | "linear" | "exponential";

export interface TwoStageSettings {
  readonly use_two_stage_training: boolean;
  /** Iterations of phase 1 at most; null: none. */
  readonly phase1_iterations: number | null;
  readonly max_iterations: number;
  /** Share of the episodes flown by the teacher: 1 then 0 (`two_stage`), or mixed (DAgger's β). */
  readonly teacher_share_schedule: ShareSchedule;
  readonly teacher_share_start: number;
  readonly teacher_share_end: number;
  /** Iterations from start to end. */
  readonly teacher_share_iterations: number;
  /** Phase 2 begins when the student's share of the teacher's return stays above this; null: by the plan alone. */
  readonly gate_threshold: number | null;
  /** For so many iterations on end. */
  readonly gate_iterations: number;
  /** Phase 1 comes back when that share stays below this in phase 2; null: never. */
  readonly guard_threshold: number | null;
  readonly guard_iterations: number;
  /** Iterations that the teacher then flies. */
  readonly guard_rest: number;
}

export interface PlanState {
  readonly phase: 1 | 2;
  /** First iteration of this phase, and the one after its last by plan. */
  readonly from: number;
  readonly to: number;
  /** Iterations on end for which the gate's, or the guard's, condition has held. */
  readonly streak: number;
}

export type Change = "stay" | "plan" | "gate" | "guard";

export function firstPhase(settings: TwoStageSettings): PlanState {
  const { max_iterations } = settings;
  const second = phaseTwo(0, max_iterations);
  if (!settings.use_two_stage_training || isMixed(settings)) return second;
  const to = Math.min(settings.phase1_iterations ?? 0, max_iterations);
  return to === 0 ? second : { phase: 1, from: 0, to, streak: 0 };
}

export function phaseTwo(from: number, maxIterations: number): PlanState {
  return { phase: 2, from, to: maxIterations, streak: 0 };
}

/** Phase 1 once more, after a collapse. */
export function resumePhaseOne(from: number, settings: TwoStageSettings): PlanState {
  const to = Math.min(from + settings.guard_rest, settings.max_iterations);
  return { phase: 1, from, to, streak: 0 };
}

/** A state that was saved, under settings that may have changed since. */
export function resumed(saved: PlanState, settings: TwoStageSettings): PlanState {
  const { phase, from, to, streak } = saved;
  if (phase === 2) return { ...phaseTwo(from, settings.max_iterations), streak };
  const planned = firstPhase(settings);
  if (planned.phase === 2) return planned;
  return { ...planned, from, streak, ...(from > 0 ? { to } : {}) };
}

/** Takes in the student's share of the teacher's return after an iteration; NaN where it isn't known yet. */
export function observe(state: PlanState, ratio: number, settings: TwoStageSettings): PlanState {
  const { gate_threshold, guard_threshold } = settings;
  const holds =
    state.phase === 1
      ? gate_threshold !== null && ratio >= gate_threshold
      : guard_threshold !== null && ratio < guard_threshold;
  return { ...state, streak: holds ? state.streak + 1 : 0 };
}

/** What should happen before `iteration` is flown. */
export function nextChange(
  state: PlanState,
  iteration: number,
  settings: TwoStageSettings,
): Change {
  if (!settings.use_two_stage_training || isMixed(settings)) return "stay";
  const { gate_threshold, gate_iterations, guard_threshold, guard_iterations } = settings;
  if (state.phase === 1) {
    if (gate_threshold !== null && state.streak >= gate_iterations) return "gate";
    return iteration >= state.to ? "plan" : "stay";
  }
  return guard_threshold !== null && state.streak >= guard_iterations ? "guard" : "stay";
}

/** Share of the training episodes that the teacher flies in an iteration, 0 to 1. */
export function teacherShare(
  state: PlanState,
  iteration: number,
  settings: TwoStageSettings,
): number {
  if (!settings.use_two_stage_training) return 0;
  const { teacher_share_start: start, teacher_share_end: end } = settings;
  const done = Math.min(1, iteration / settings.teacher_share_iterations);
  switch (settings.teacher_share_schedule) {
    case "two_stage":
      return state.phase === 1 ? 1 : 0;
    case "constant":
      return start;
    case "linear":
      return (1 - done) * start + done * end;
    case "exponential":
      // Towards an end of 0 a ratio alone never gets there: a hundredth of the start counts as it.
      return done === 1 ? end : start * (Math.max(end, start / 100) / start) ** done;
  }
}

function isMixed({ teacher_share_schedule }: TwoStageSettings): boolean {
  return teacher_share_schedule !== "two_stage";
}
