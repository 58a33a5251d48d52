import { z } from "zod";
import { portion, positive, widths } from "../../config/leaf.ts";
import type { Frozen } from "../../config/schema.ts";
import { batchSize, normaliseStates } from "../offline/keys.ts";

/** Behaviour cloning's settings. */
export const bcSettings = z.strictObject({
  bc_fraction: portion(1, "Share of the episodes that is imitated, those of the highest returns"),
  batch_size: batchSize(256),
  learning_rate: positive(3e-4, "Step size of Adam"),
  actor_hidden_dims: widths([256, 256], "Widths of the actor's hidden layers"),
  normalize_states: normaliseStates(true),
});

export type BcSettings = Frozen<z.output<typeof bcSettings>>;
