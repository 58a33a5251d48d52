/** What the simulator says after a reset or a step. Arrays belong to the receiver and are never written again. */

/** Of one group: numbers, or the bytes of pictures. */
export type ObservationArray = Float32Array | Uint8Array;

/** Observation groups by name, each `[numEnvs, ...shape]`, row-major. */
export type Observations = Readonly<Record<string, ObservationArray>>;

export interface Frame {
  readonly observations: Observations;
  /** `[numEnvs]`, 1 where this observation is the first of an episode. */
  readonly started: Uint8Array;
  /** `[numEnvs, ...action shape]`: the simulator's own teacher on this observation; capability `teacher_actions`. */
  readonly teacherActions?: Float32Array;
}

export interface StepResult {
  readonly frame: Frame;
  /** `[numEnvs]`, in the task's own units: of the control period that has passed. */
  readonly rewards: Float32Array;
  /** `[numEnvs]`, 1 where the episode ended in a terminal state. */
  readonly terminated: Uint8Array;
  /** `[numEnvs]`, 1 where the episode was cut off by the clock. */
  readonly truncated: Uint8Array;
  /** Last observations of the episodes that ended: `rows` `[k]` ascending, observations `[k, ...shape]`. */
  readonly final?: { readonly rows: Int32Array; readonly observations: Observations };
  /** Figures of the episodes that ended at this step; absent on other steps. */
  readonly log?: Readonly<Record<string, number>>;
  /** Seconds the simulator spent, by part, e.g. `simulate`, `observe`, `encode`. */
  readonly timing?: Readonly<Record<string, number>>;
}
