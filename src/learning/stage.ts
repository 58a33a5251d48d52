/** Where in its plan a run is: what a learner and an actor may go by. */
export interface Stage {
  /** E.g. `teacher-drives`, `student-drives`, `offline`, `warm-up`. */
  readonly name: string;
  /** From 0, and how many the plan has. */
  readonly index: number;
  readonly of: number;
  /** Iterations in this stage before this one, and how many it lasts by plan. */
  readonly iteration: number;
  readonly length: number;
  /** Share of the run's iterations that are over, 0 to 1. */
  readonly progress: number;
  /** E.g. `teacher_share`, `env_loss_weight`. */
  readonly settings: Readonly<Record<string, number>>;
}
