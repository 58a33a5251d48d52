import { z } from "zod";
import {
  flag,
  maybeWhole,
  notNegative,
  portion,
  positive,
  share,
  widths,
} from "../../config/leaf.ts";
import type { Frozen } from "../../config/schema.ts";
import { batchSize, discount, normaliseStates, rewardKeys } from "../offline/keys.ts";

/** IQL's settings, by CORL's names where it has one and with its defaults. */
export const iqlSettings = z.strictObject({
  iql_tau: share(0.7, "Expectile of the values: 0.5 is their mean, 1 would be the best action's"),
  beta: notNegative(3, "How much better actions count more in imitation"),
  iql_deterministic: flag(false, "An actor without a deviation, which is trained on the distance"),
  discount,
  tau: portion(0.005, "Share of the critics in their slow copies, at each update"),
  batch_size: batchSize(256),
  actor_learning_rate: positive(3e-4, "Step size of the actor's Adam, at the start"),
  critic_learning_rate: positive(3e-4, "Step size of the critics' Adam"),
  value_learning_rate: positive(3e-4, "Step size of the value's Adam"),
  max_steps: maybeWhole(
    { least: 1, most: 1_000_000_000 },
    "Updates in which the actor's step size falls to 0 along a cosine, to rise behind them; null: the run",
  ),
  actor_hidden_dims: widths([256, 256], "Widths of the actor's hidden layers"),
  critic_hidden_dims: widths([256, 256], "Widths of each critic's and the value's hidden layers"),
  layer_norm: flag(false, "LayerNorm behind each ReLU of the critics and the value"),
  normalize_states: normaliseStates(true),
  ...rewardKeys,
});

export type IqlSettings = Frozen<z.output<typeof iqlSettings>>;
