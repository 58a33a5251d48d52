import { z } from "zod";
import { flag, notNegative, positive, widths } from "../../config/leaf.ts";
import type { Frozen } from "../../config/schema.ts";
import { batchSize, normaliseStates, rewardKeys, td3Keys } from "../offline/keys.ts";

/** ReBRAC's settings, by CORL's names where it has one and with its defaults. */
export const rebracSettings = z.strictObject({
  actor_bc_coef: notNegative(1, "Weight of imitation in the actor's loss"),
  critic_bc_coef: notNegative(1, "Weight of the distance to the data's next action in the target"),
  normalize_q: flag(true, "The value's weight in the actor's loss is 1 / mean |Q|"),
  ...td3Keys,
  batch_size: batchSize(1024),
  actor_learning_rate: positive(1e-3, "Step size of the actor's Adam"),
  critic_learning_rate: positive(1e-3, "Step size of the critics' Adam"),
  actor_hidden_dims: widths([256, 256, 256], "Widths of the actor's hidden layers"),
  critic_hidden_dims: widths([256, 256, 256], "Widths of each critic's hidden layers"),
  actor_layer_norm: flag(false, "LayerNorm behind each ReLU of the actor"),
  layer_norm: flag(true, "LayerNorm behind each ReLU of the critics"),
  layer_norm_epsilon: positive(1e-6, "Added to the variance in those"),
  normalize_states: normaliseStates(false),
  ...rewardKeys,
});

export type RebracSettings = Frozen<z.output<typeof rebracSettings>>;
