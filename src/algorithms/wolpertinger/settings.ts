import { z } from "zod";
import { flag, positive, whole, widths } from "../../config/leaf.ts";
import type { Frozen } from "../../config/schema.ts";
import { batchSize, normaliseStates, rewardKeys, td3Keys } from "../offline/keys.ts";

/** Wolpertinger's settings. */
export const wolpertingerSettings = z.strictObject({
  neighbours: whole(10, { least: 1, most: 1024 }, "Recorded actions that the critic chooses among"),
  library: whole(
    1024,
    { least: 1, most: 65_536 },
    "Recorded actions, drawn at random, among which those are looked for",
  ),
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

export type WolpertingerSettings = Frozen<z.output<typeof wolpertingerSettings>>;
