import { z } from "zod";
import { positive, widths } from "../../config/leaf.ts";
import type { Frozen } from "../../config/schema.ts";
import { batchSize, discount, normaliseStates } from "../offline/keys.ts";

/** REINFORCE's settings. */
export const reinforceSettings = z.strictObject({
  discount,
  batch_size: batchSize(256),
  learning_rate: positive(3e-4, "Step size of Adam"),
  actor_hidden_dims: widths([256, 256], "Widths of the actor's hidden layers"),
  normalize_states: normaliseStates(true),
});

export type ReinforceSettings = Frozen<z.output<typeof reinforceSettings>>;
