import { z } from "zod";
import { flag, portion, positive, whole, widths } from "../../config/leaf.ts";
import type { Frozen } from "../../config/schema.ts";

/** Behaviour cloning's settings. */
export const bcSettings = z.strictObject({
  bc_fraction: portion(1, "Share of the episodes that is imitated, those of the highest returns"),
  batch_size: whole(256, { least: 1, most: 1_000_000 }, "Transitions of one update"),
  learning_rate: positive(3e-4, "Step size of Adam"),
  actor_hidden_dims: widths([256, 256], "Widths of the actor's hidden layers"),
  normalize_states: flag(true, "States to mean 0 and deviation 1 of the data"),
});

export type BcSettings = Frozen<z.output<typeof bcSettings>>;
