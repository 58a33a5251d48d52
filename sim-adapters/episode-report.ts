import type { StepResult } from "../protocol/frame.ts";

/** What a task tells of an episode besides its return, from what was observed in it. */
export interface EpisodeReport {
  /** A control step has passed in all environments. */
  note(result: StepResult): void;
  /** Figures of the episode that has just ended in an environment, and none of it any more. */
  end(row: number): Readonly<Record<string, number | undefined>>;
}
