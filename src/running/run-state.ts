import type { LearnerState } from "../learning/learner.ts";
import type { SourceState } from "./source.ts";

/** Counters of a run, after its last whole iteration. */
export interface Progress {
  /** The next iteration. */
  readonly iteration: number;
  /** Control steps taken, over all environments. */
  readonly environmentSteps: number;
  /** Seconds collected and learned, over all sessions of the run. */
  readonly seconds: number;
  /** The highest merit so far. */
  readonly best: number | null;
}

export const noProgress: Progress = { iteration: 0, environmentSteps: 0, seconds: 0, best: null };

/** All a run needs to go on as if it had never stopped. */
export interface RunState {
  readonly progress: Progress;
  /** As `Plan.save` gave it. */
  readonly plan: unknown;
  readonly source: SourceState;
  readonly learner: LearnerState;
  /** Of the monitors. */
  readonly watch?: unknown;
}
