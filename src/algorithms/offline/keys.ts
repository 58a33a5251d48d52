import { z } from "zod";
import {
  flag,
  maybeNames,
  maybeNumber,
  maybeOneOf,
  maybeText,
  million,
  notNegative,
  oneOf,
  portion,
  positive,
  whole,
  widths,
} from "../../config/leaf.ts";
import type { ConfigOf } from "../../config/schema.ts";
import type { BatchLearner } from "../../learning/offline/batch-learner.ts";
import type { OfflineSite } from "../../learning/offline/site.ts";
import { type RankedConfig, rankedKeys } from "./slates/keys.ts";

const obsGroups = z.strictObject({
  student: maybeNames("Observation groups the policy reads, in this order; null: `policy`, or all"),
});

const evaluation = z.strictObject({
  interval: whole(20, { least: 1, most: 10 * million }, "Iterations between two flights in flight"),
  episodes: whole(20, { least: 1, most: million }, "Whole episodes of such a flight, at least"),
  final_episodes: whole(
    400,
    { least: 0, most: million },
    "Whole episodes flown by the best student at the end; 0: none",
  ),
});

/** What algorithms on recorded flights share, before the block of their own. */
export const sharedKeys = {
  task: z.string().default("").meta({
    expects: "text",
    doc: "Task the student is evaluated in; empty: the data set's own, where it is one of ours",
  }),
  dataset: maybeText("Recorded flights: an HDF5 file of D4RL's, Minari's or robomimic's layout"),
  dataset_format: maybeOneOf(
    ["d4rl", "minari", "robomimic"],
    "Layout of the data set; null: found out",
  ),
  dataset_memory: positive(1024, "Megabytes (2^20) that reading the data set may take, at most"),
  updates_per_iteration: whole(100, { least: 1, most: million }, "Updates in one iteration"),
  obs_groups: obsGroups.prefault({}),
} as const;

/** Settings of all that value what rewards sum up to. */
export const rewardKeys = {
  normalize_reward: flag(false, "Rewards scaled, never shifted, by the span of the returns"),
  reward_shift: maybeNumber("Added to every scaled reward; null: nothing"),
};

export const discount = portion(0.99, "Weight of the next step's value, gamma");

/** Settings of TD3, and of what is built upon it. */
export const td3Keys = {
  discount,
  tau: portion(0.005, "Share of the networks in their slow copies, at each step of the actor"),
  policy_noise: notNegative(0.2, "Noise on the target's actions, in halves of the action range"),
  noise_clip: notNegative(0.5, "Most of that noise, in halves of the action range"),
  policy_freq: whole(2, { least: 1, most: 1000 }, "Critic steps to each step of the actor"),
};

export const batchSize = (fallback: number) =>
  whole(fallback, { least: 1, most: million }, "Transitions of one update");

export const normaliseStates = (fallback: boolean) =>
  flag(fallback, "States to mean 0 and deviation 1 of the data");

/** Of TD3 and what is near it: everything behind an algorithm's own keys. */
export const td3Settings = {
  ...td3Keys,
  batch_size: batchSize(256),
  actor_learning_rate: positive(3e-4, "Step size of the actor's Adam"),
  critic_learning_rate: positive(3e-4, "Step size of the critics' Adam"),
  actor_hidden_dims: widths([256, 256], "Widths of the actor's hidden layers"),
  critic_hidden_dims: widths([256, 256], "Widths of each critic's hidden layers"),
  layer_norm: flag(true, "LayerNorm behind each ReLU of the critics: keeps values from exploding"),
  normalize_states: normaliseStates(true),
  ...rewardKeys,
} as const;

/** Of algorithms that can learn from their own flights beside the recorded ones. */
export const onlineKeys = {
  online_share: portion(
    0,
    "Share of each batch that the student flies itself; 0: recorded flights alone, 1: its own alone",
  ),
  online_noise: notNegative(
    0.1,
    "Noise on its actions then, in halves of the action range (sac, reinforce: as they draw)",
  ),
  online_steps: whole(20, { least: 1, most: 100_000 }, "Control steps it flies in one iteration"),
  online_buffer: whole(
    100_000,
    { least: 1, most: 100 * million },
    "Latest steps of its own, over all environments, that are drawn from",
  ),
} as const;

/** All keys of an algorithm whose own settings these are. */
export function offlineKeys<Own extends z.ZodRawShape>(
  name: string,
  own: z.ZodObject<Own>,
  { online = false, ranked = false }: { readonly online?: boolean; readonly ranked?: boolean } = {},
) {
  const className = oneOf([name], name, "The algorithm: --algorithm NAME");
  const algorithm = z.strictObject({ class_name: className, ...own.shape });
  return {
    ...sharedKeys,
    ...(online ? onlineKeys : {}),
    ...(ranked ? rankedKeys : {}),
    algorithm: algorithm.prefault({} as never),
    evaluation: evaluation.prefault({}),
  };
}

/** What every algorithm on recorded flights can be asked. */
export interface OfflineSettings {
  readonly class_name: string;
  readonly batch_size: number;
  /** Absent where nothing is valued. */
  readonly discount?: number;
  readonly normalize_reward?: boolean;
  readonly reward_shift?: number | null;
  /** Share of the episodes that is learned from, those of the highest returns. */
  readonly bc_fraction?: number;
}

export type OfflineConfig = ConfigOf<
  typeof sharedKeys & { evaluation: z.ZodPrefault<typeof evaluation> }
> & { readonly algorithm: OfflineSettings } & Partial<ConfigOf<typeof onlineKeys>> &
  RankedConfig;

/** How an algorithm makes its learner. */
export interface LearnerMaker {
  create(config: OfflineConfig, site: OfflineSite): Promise<BatchLearner>;
  /** A remark on its encoder: nothing to see, or settings that are no good for what it sees; absent: it has none. */
  encoder?(config: OfflineConfig, site: OfflineSite): string | undefined;
}
