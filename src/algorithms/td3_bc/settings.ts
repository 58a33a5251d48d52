import { z } from "zod";
import { flag, notNegative, positive, widths } from "../../config/leaf.ts";
import type { Frozen } from "../../config/schema.ts";
import { batchSize, normaliseStates, rewardKeys, td3Keys } from "../offline/keys.ts";

/** TD3+BC's settings, by CORL's names where it has one and with its defaults. */
export const td3BcSettings = z.strictObject({
  alpha: notNegative(2.5, "Weight of the value against imitation: larger is weaker imitation"),
  ...td3Keys,
  batch_size: batchSize(256),
  actor_learning_rate: positive(3e-4, "Step size of the actor's Adam"),
  critic_learning_rate: positive(3e-4, "Step size of the critics' Adam"),
  actor_hidden_dims: widths([256, 256], "Widths of the actor's hidden layers"),
  critic_hidden_dims: widths([256, 256], "Widths of each critic's hidden layers"),
  layer_norm: flag(true, "LayerNorm behind each ReLU of the critics: keeps values from exploding"),
  normalize_states: normaliseStates(true),
  ...rewardKeys,
});

export type Td3BcSettings = Frozen<z.output<typeof td3BcSettings>>;
