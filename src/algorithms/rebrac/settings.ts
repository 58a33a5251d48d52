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

/** ReBRAC's settings, by CORL's names where it has one and with its defaults. */
export const rebracSettings = z.strictObject({
  actor_bc_coef: notNegative(1, "Weight of imitation in the actor's loss"),
  critic_bc_coef: notNegative(1, "Weight of the distance to the data's next action in the target"),
  normalize_q: flag(true, "The value's weight in the actor's loss is 1 / mean |Q|"),
  discount: portion(0.99, "Weight of the next step's value, gamma"),
  tau: portion(0.005, "Share of the networks in their slow copies, at each step of the actor"),
  policy_noise: notNegative(0.2, "Noise on the target's actions, in halves of the action range"),
  noise_clip: notNegative(0.5, "Most of that noise, in halves of the action range"),
  policy_freq: whole(2, { least: 1, most: 1000 }, "Critic steps to each step of the actor"),
  batch_size: whole(1024, { least: 1, most: 1_000_000 }, "Transitions of one update"),
  actor_learning_rate: positive(1e-3, "Step size of the actor's Adam"),
  critic_learning_rate: positive(1e-3, "Step size of the critics' Adam"),
  actor_hidden_dims: widths([256, 256, 256], "Widths of the actor's hidden layers"),
  critic_hidden_dims: widths([256, 256, 256], "Widths of each critic's hidden layers"),
  actor_layer_norm: flag(false, "LayerNorm behind each ReLU of the actor"),
  layer_norm: flag(true, "LayerNorm behind each ReLU of the critics"),
  layer_norm_epsilon: positive(1e-6, "Added to the variance in those"),
  normalize_states: flag(false, "States to mean 0 and deviation 1 of the data"),
  normalize_reward: flag(false, "Rewards scaled, never shifted, by the span of the returns"),
  reward_shift: maybeNumber("Added to every scaled reward; null: nothing"),
});

export type RebracSettings = Frozen<z.output<typeof rebracSettings>>;
