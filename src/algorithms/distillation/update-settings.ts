import type { RuleName } from "../../learning/rules.ts";
import type { ScheduleName } from "../../learning/schedule.ts";
import type { LossType } from "./loss.ts";

/** Settings of the update, by rsl_rl's names and with its defaults. */
export interface DistillationSettings {
  readonly num_learning_epochs: number;
  /** Time steps summed into one loss, and so behind one optimiser step. */
  readonly gradient_length: number;
  readonly learning_rate: number;
  /** How that rate falls over the run, and the share of it that is left at the end. */
  readonly learning_rate_schedule: ScheduleName;
  readonly learning_rate_last: number;
  /** Norm to which the gradient of that SUM is clipped; null: not at all. */
  readonly max_grad_norm: number | null;
  readonly loss_type: LossType;
  readonly optimizer: RuleName;
  /**
   * Transitions of past rollouts that are learned from again, as DAgger does; 0: the newest rollout
   * alone. Kept in checkpoints, but for the best student's.
   */
  readonly buffer_size: number;
  /** The same by whole rollouts, the newest among them, whatever the fleet's size; 0: not bounded so. */
  readonly buffer_rollouts: number;
  /**
   * As rsl_rl: the steps after the last full window train nothing. The student still goes over them, with
   * its newest weights: their loss counts and its memory moves on.
   */
  readonly drop_leftover_steps: boolean;
  /**
   * When the statistics of a normalised student learn. 5.4, as rsl_rl up to 5.4: before the update, step
   * by step, from what each step led to. 5.5, as rsl_rl since: once behind the update, from the
   * observations that were acted on, as one batch.
   */
  readonly normaliser_update: 5.4 | 5.5;
}

export const distillationDefaults: DistillationSettings = {
  num_learning_epochs: 1,
  gradient_length: 15,
  learning_rate: 1e-3,
  learning_rate_schedule: "constant",
  learning_rate_last: 0.02,
  max_grad_norm: null,
  loss_type: "mse",
  optimizer: "adam",
  buffer_size: 0,
  buffer_rollouts: 0,
  drop_leftover_steps: false,
  normaliser_update: 5.4,
};
