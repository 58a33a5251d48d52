import type { Stage } from "../../learning/stage.ts";
import type { Metrics } from "../../metrics/metric-sink.ts";
import type { Entered, Plan, Planned } from "../../running/plan.ts";
import {
  firstPhase,
  nextChange,
  observe,
  type PlanState,
  phaseTwo,
  resumed,
  resumePhaseOne,
  type TwoStageSettings,
  teacherShare,
} from "./phases.ts";

/** The stages by phase, less one. */
export const stageNames = ["teacher-drives", "student-drives"] as const;

/**
 * The teacher drives, then the student: by the number of iterations, when the student is good enough (gate),
 * when somebody asks; and back for a while when it collapses (guard). Or both drive, by a schedule.
 */
export class TwoStagePlan implements Plan {
  readonly #settings: TwoStageSettings;
  #state: PlanState;
  /** Of a change that was asked for and not said yet. */
  #entered: Entered | undefined;

  constructor(settings: TwoStageSettings) {
    this.#settings = settings;
    this.#state = firstPhase(settings);
  }

  at(iteration: number): Planned {
    const change = nextChange(this.#state, iteration, this.#settings);
    if (change === "plan" || change === "gate") this.#handOver(iteration, change);
    if (change === "guard") this.#takeBack(iteration);
    const entered = this.#entered;
    this.#entered = undefined;
    const stage = this.#stageAt(iteration);
    return { stage, metrics: metricsOf(stage), ...(entered ? { entered } : {}) };
  }

  observe(_metrics: Metrics, merit: number): void {
    this.#state = observe(this.#state, merit, this.#settings);
  }

  ask(request: string, iteration: number): string {
    if (request !== "next-phase") return `refused: distillation knows no ${request}`;
    if (this.#state.phase === 1) {
      this.#handOver(iteration, "asked");
      return "done";
    }
    return teacherShare(this.#state, iteration, this.#settings) === 0
      ? "refused: the student has the controls already"
      : "refused: a schedule says how many episodes the teacher flies";
  }

  save(): PlanState {
    return this.#state;
  }

  load(state: unknown): void {
    this.#state = resumed(state as PlanState, this.#settings);
  }

  #handOver(iteration: number, why: string): void {
    this.#state = phaseTwo(iteration, this.#settings.max_iterations);
    const message = "SWITCHING TO PHASE 2: Now using STUDENT actions to update environment";
    this.#entered = { type: "phase-switch", phase: 2, why, message };
  }

  #takeBack(iteration: number): void {
    this.#state = resumePhaseOne(iteration, this.#settings);
    const { from, to } = this.#state;
    const message = `The student has collapsed: the teacher flies again for ${to - from} iterations`;
    this.#entered = { type: "phase-resumed", phase: 1, why: "guard", message };
  }

  #stageAt(iteration: number): Stage {
    const { phase, from, to } = this.#state;
    const { max_iterations } = this.#settings;
    return {
      name: stageNames[phase - 1]!,
      index: phase - 1,
      of: stageNames.length,
      iteration: iteration - from,
      length: to - from,
      progress: iteration / max_iterations,
      settings: { teacher_share: teacherShare(this.#state, iteration, this.#settings) },
    };
  }
}

function metricsOf({ index, iteration, length, settings }: Stage): Metrics {
  return {
    "Distillation/training_phase": index + 1,
    "Distillation/phase_iteration": iteration,
    "Distillation/phase_length": length,
    "Distillation/teacher_share": settings.teacher_share!,
  };
}
