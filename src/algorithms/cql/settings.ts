import { z } from "zod";
import {
  flag,
  maybeNumber,
  notNegative,
  portion,
  positive,
  whole,
  widths,
} from "../../config/leaf.ts";
import type { Frozen } from "../../config/schema.ts";
import { batchSize, discount, normaliseStates, rewardKeys } from "../offline/keys.ts";

/** CQL's settings, by CORL's names where it has one and with the defaults of its configurations. */
export const cqlSettings = z.strictObject({
  cql_alpha: notNegative(10, "Weight of the penalty on values of actions that nobody took"),
  cql_n_actions: whole(10, { least: 1, most: 1000 }, "Actions of each kind in that penalty"),
  cql_temp: positive(1, "Temperature of the penalty's soft maximum"),
  cql_importance_sample: flag(true, "Actions count by the inverse of their density"),
  cql_max_target_backup: flag(false, "The best of several next actions in the target"),
  cql_target_action_gap: maybeNumber(
    "Gap that a Lagrange multiplier holds the penalty to; null: none",
  ),
  cql_clip_diff_min: maybeNumber("Least that gap counts in each state; null: as it is"),
  cql_clip_diff_max: maybeNumber("Most that gap counts in each state; null: as it is"),
  backup_entropy: flag(false, "Less entropy's weight times the log-likelihood in the target"),
  use_automatic_entropy_tuning: flag(true, "Entropy's weight is learned towards target_entropy"),
  target_entropy: maybeNumber("Entropy of the policy wanted; null: minus the number of actions"),
  alpha_multiplier: notNegative(
    1,
    "Times entropy's weight; that weight itself where it isn't learned",
  ),
  discount,
  tau: portion(0.005, "Share of the critics in their slow copies"),
  target_update_period: whole(1, { least: 1, most: 1_000_000 }, "Updates from one to the next"),
  batch_size: batchSize(256),
  actor_learning_rate: positive(3e-5, "Step size of the Adam of the actor and entropy's weight"),
  critic_learning_rate: positive(3e-4, "Step size of the critics' Adam"),
  actor_hidden_dims: widths([256, 256, 256], "Widths of the actor's hidden layers"),
  critic_hidden_dims: widths([256, 256, 256], "Widths of each critic's hidden layers"),
  layer_norm: flag(false, "LayerNorm behind each ReLU of the critics"),
  normalize_states: normaliseStates(true),
  ...rewardKeys,
});

export type CqlSettings = Frozen<z.output<typeof cqlSettings>>;
