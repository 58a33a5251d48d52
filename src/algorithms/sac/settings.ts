import { z } from "zod";
import { flag, maybeNumber, portion, positive, widths } from "../../config/leaf.ts";
import type { Frozen } from "../../config/schema.ts";
import { batchSize, discount, normaliseStates, rewardKeys } from "../offline/keys.ts";

/** SAC's settings, with the defaults of its second paper. */
export const sacSettings = z.strictObject({
  target_entropy: maybeNumber("Entropy of the policy wanted; null: minus the number of actions"),
  discount,
  tau: portion(0.005, "Share of the critics in their slow copies, at each update"),
  batch_size: batchSize(256),
  actor_learning_rate: positive(3e-4, "Step size of the Adam of the actor and entropy's weight"),
  critic_learning_rate: positive(3e-4, "Step size of the critics' Adam"),
  actor_hidden_dims: widths([256, 256], "Widths of the actor's hidden layers"),
  critic_hidden_dims: widths([256, 256], "Widths of each critic's hidden layers"),
  layer_norm: flag(false, "LayerNorm behind each ReLU of the critics"),
  normalize_states: normaliseStates(true),
  ...rewardKeys,
});

export type SacSettings = Frozen<z.output<typeof sacSettings>>;
