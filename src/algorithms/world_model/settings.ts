import { z } from "zod";
import {
  flag,
  maybeNames,
  maybeOneOf,
  maybePositive,
  maybeWhole,
  million,
  notNegative,
  oneOf,
  portion,
  positive,
  share,
  whole,
  widths,
} from "../../config/leaf.ts";
import type { Frozen } from "../../config/schema.ts";
import { batchSize, normaliseStates } from "../offline/keys.ts";

/** How the model of the world and the policy in it are trained one after the other: see plans.ts. */
export const planNames = [
  "joint",
  "warmup",
  "freeze",
  "separate",
  "weighted",
  "recommended",
  "gradient_scale",
] as const;

export type PlanName = (typeof planNames)[number];

export const worldModelSettings = z.strictObject({
  plan: oneOf(planNames, "recommended", "Who is trained when, and by whose losses"),
  warmup_epochs: maybeWhole(
    { least: 0, most: million },
    "Iterations of the environment's losses alone; null: what the plan says",
  ),
  env_loss_weight: maybePositive(
    null,
    "Weight of the environment's losses behind the warm-up; null: the plan's",
  ),
  policy_loss_weight: maybePositive(null, "Weight of loss_action; null: the plan's"),
  freeze: maybeOneOf(
    ["dynamics", "representation"],
    "What the policy's loss may not reach; representation: neither of both; null: the plan's",
  ),
  dynamics_gradient_scale: z.number().min(0).max(1).nullable().default(null).meta({
    expects: "a number from 0 to 1, or null",
    doc: "Gradients through each step of the dynamics are multiplied by it; null: the plan's",
  }),
  use_mcts: flag(false, "The policy learns from what a search in the model finds, too"),
  planner: oneOf(["mcts", "one_step"], "mcts", "Who searches: a tree, or one step of improvement"),
  bc_share: portion(0.7, "Share of imitation in loss_action where a planner searches"),
  search_share: portion(0.25, "Share of a batch that is searched: coverage"),
  search_simulations: whole(50, { least: 1, most: 10_000 }, "Simulations of a search"),
  search_candidates: whole(
    100,
    { least: 1, most: 10_000 },
    "Most likely actions a search considers at each state",
  ),
  pb_c_init: notNegative(1, "Weight of the prior in a search"),
  pb_c_base: positive(19_652, "Visits over which that weight grows"),
  pre_len: whole(5, { least: 1, most: 1000 }, "Steps that the model is unrolled in training"),
  td_steps: whole(
    5,
    { least: 1, most: 100_000 },
    "Rewards summed up before what is left is estimated",
  ),
  discount: share(0.9, "Weight of the next step's value, gamma"),
  predict: maybeNames("Observation components that the heads predict; null: bis and map, else all"),
  action_levels: whole(10, { least: 2, most: 1000 }, "Levels of each action component"),
  level_spacing: oneOf(
    ["even", "quantiles"],
    "quantiles",
    "Levels between the bounds at equal distances, or by how often the data come near them",
  ),
  encoder: oneOf(
    ["mlp", "gru", "transformer"],
    "mlp",
    "What reads the last observations: all at once, one after the other, or each in the light of all",
  ),
  history: whole(1, { least: 1, most: 1000 }, "Observations that are read together, the last ones"),
  latent: whole(32, { least: 1, most: 4096 }, "Width of the model's state"),
  hidden_dims: widths([64, 64], "Widths of the hidden layers of each network"),
  heads: oneOf(
    ["scalar", "categorical"],
    "scalar",
    "What predicts numbers: one output, or a distribution",
  ),
  head_bins: whole(51, { least: 3, most: 1001 }, "Bins of such a distribution"),
  batch_size: batchSize(128),
  learning_rate: positive(1e-3, "Step size of Adam"),
  max_grad_norm: maybePositive(5, "Norm to which gradients are clipped; null: not at all"),
  normalize_states: normaliseStates(true),
  validation_share: portion(0.1, "Share of the episodes that is held out to measure the model on"),
  validation_windows: whole(
    1024,
    { least: 1, most: million },
    "Windows of them that are measured, at most",
  ),
});

export type WorldModelSettings = Frozen<z.output<typeof worldModelSettings>>;
