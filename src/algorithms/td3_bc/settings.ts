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

/** TD3+BC's settings, by CORL's names where it has one and with its defaults. */
export const td3BcSettings = z.strictObject({
  alpha: notNegative(2.5, "Weight of the value against imitation: larger is weaker imitation"),
  discount: portion(0.99, "Weight of the next step's value, gamma"),
  tau: portion(0.005, "Share of the networks in their slow copies, at each step of the actor"),
  policy_noise: notNegative(0.2, "Noise on the target's actions, in halves of the action range"),
  noise_clip: notNegative(0.5, "Most of that noise, in halves of the action range"),
  policy_freq: whole(2, { least: 1, most: 1000 }, "Critic steps to each step of the actor"),
  batch_size: whole(256, { least: 1, most: 1_000_000 }, "Transitions of one update"),
  actor_learning_rate: positive(3e-4, "Step size of the actor's Adam"),
  critic_learning_rate: positive(3e-4, "Step size of the critics' Adam"),
  actor_hidden_dims: widths([256, 256], "Widths of the actor's hidden layers"),
  critic_hidden_dims: widths([256, 256], "Widths of each critic's hidden layers"),
  layer_norm: flag(true, "LayerNorm behind each ReLU of the critics: keeps values from exploding"),
  normalize_states: flag(true, "States to mean 0 and deviation 1 of the data"),
  normalize_reward: flag(false, "Rewards scaled, never shifted, by the span of the returns"),
  reward_shift: maybeNumber("Added to every scaled reward; null: nothing"),
});

export type Td3BcSettings = Frozen<z.output<typeof td3BcSettings>>;
