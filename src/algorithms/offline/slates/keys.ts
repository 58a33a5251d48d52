import { z } from "zod";
import { beliefKinds } from "../../../../policies/beliefs/belief.ts";
import { maybeOneOf, maybeText, oneOf, whole } from "../../../config/leaf.ts";
import type { ConfigOf } from "../../../config/schema.ts";

const belief = z.strictObject({
  encoder: oneOf(beliefKinds, "gru", "What makes states: a GRU, or the user whom nobody sees"),
  turns: whole(10, { least: 1, most: 1000 }, "Latest turns that the GRU goes by"),
  hidden_dim: whole(64, { least: 1, most: 16384 }, "Width of the GRU"),
  state_dim: whole(20, { least: 1, most: 16384 }, "Numbers of the state it gives"),
  owner: maybeOneOf(
    ["critic", "actor"],
    "Whose loss moves the GRU; null: the critic's where there is one",
  ),
});

/** Of algorithms that can act through a ranker: their actions are its latents. */
export const rankedKeys = {
  ranker: maybeText(
    "Checkpoint of a ranker, whose latents are the actions; null: actions are the simulator's",
  ),
  belief: belief.prefault({}),
} as const;

export type RankedConfig = Partial<ConfigOf<typeof rankedKeys>>;
