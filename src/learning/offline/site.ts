import type { Variable } from "@tensorflow/tfjs-core";
import type { OutputRange } from "../../../policies/networks/bounded.ts";
import type { Network } from "../../../policies/networks/network.ts";
import type { NormaliserState } from "../../../policies/networks/normaliser.ts";
import type { Policy } from "../../../policies/policy.ts";
import type { Compile } from "../../engine/compile/program.ts";
import { LearningError } from "../learning-error.ts";
import type { ValueFacts } from "../monitors/divergence.ts";
import type { TrainedBelief } from "./trained-belief.ts";

/** What recorded flights and their simulator say to a learner. */
export interface OfflineSite {
  /** Observation groups of the policy, concatenated in this order. */
  readonly reads: readonly string[];
  /** Of those groups together. */
  readonly observationWidth: number;
  /** Bounds of the simulator's actions, per component. */
  readonly action: { readonly low: readonly number[]; readonly high: readonly number[] };
  /** Shape of one row of each group of `reads`; absent: vectors that need not be told apart. */
  readonly shapes?: Readonly<Record<string, readonly number[]>> | undefined;
  /** Of all observations in the data, the groups side by side; absent: a checkpoint brings them. */
  readonly statistics?: StateStatistics | undefined;
  /** Of all actions in the data, in the simulator's units; absent: a checkpoint brings them. */
  readonly actionStatistics?: StateStatistics | undefined;
  /** Of single rewards in the data, in their own units. */
  readonly rewards?: { readonly least: number; readonly most: number } | undefined;
  /** Of the data's episodes, undiscounted, and the steps of the longest: for `normalize_reward`. */
  readonly returns?: Returns | undefined;
  readonly seed: number;
  /** Makes states of what is recorded before anything else sees it; absent: that is the state. */
  readonly belief?: TrainedBelief | undefined;
  /** The agent with what surrounds it in flight; absent: it flies as it is. */
  readonly surround?: ((agent: Policy, valued: Valued) => Policy) | undefined;
  /** So many recorded actions, drawn at random, in the simulator's units, `[count, actionWidth]`. */
  readonly drawActions?: ((count: number) => Float32Array) | undefined;
  /** Who makes one call of an update's operations; absent: each is a call of its own. */
  readonly compile?: Compile | undefined;
}

/** What values a learner's actions in flight; see `BatchAlgorithm`. */
export interface Valued {
  readonly critic?: Network | undefined;
  readonly library?: { readonly actions: Variable; readonly neighbours: number } | undefined;
}

export interface StateStatistics {
  readonly mean: ArrayLike<number>;
  /** Of the population: over n. */
  readonly std: ArrayLike<number>;
  readonly count: number;
}

export interface Returns {
  readonly worst: number;
  readonly best: number;
  readonly horizon: number;
}

/** Added to the standard deviation of a state's component, as CORL does. */
export const STATE_EPSILON = 1e-3;

/** @throws LearningError `unbounded-action` */
export function rangeOf({ low, high }: OfflineSite["action"]): OutputRange {
  const center = low.map((least, i) => (high[i]! + least) / 2);
  const half = low.map((least, i) => (high[i]! - least) / 2);
  const wrong = half.findIndex(
    (h, i) => !(Number.isFinite(h) && Number.isFinite(center[i]) && h > 0),
  );
  if (wrong < 0 && low.length === high.length) return { center, half };
  throw new LearningError(
    "unbounded-action",
    `The action bounds are [${low}] to [${high}]; each component needs a finite lower and a higher bound.`,
    "Give the simulator's actions bounds, or record them with the flights.",
  );
}

/** Statistics for a normaliser that divides by std + epsilon; before any data mean 0 and std 1. */
export function stateNormaliser(
  { statistics, observationWidth }: OfflineSite,
  epsilon = STATE_EPSILON,
): NormaliserState {
  if (statistics === undefined) {
    const mean = new Float32Array(observationWidth);
    const std = new Float32Array(observationWidth).fill(1);
    return { mean, std, variance: std.slice(), count: 0, epsilon };
  }
  const [mean, std] = [Float32Array.from(statistics.mean), Float32Array.from(statistics.std)];
  const { count } = statistics;
  return { mean, std, variance: std.map((s) => s * s), count, epsilon };
}

export interface RewardSettings {
  readonly normalize_reward: boolean;
  /** Added to every scaled reward. */
  readonly reward_shift: number | null;
}

/** What rewards are multiplied by, and what is then added: a learner's own units of reward. */
export interface RewardUnits {
  readonly scale: number;
  readonly shift: number;
}

/**
 * Scaled, the best return is about one reward of 1 per step of the longest episode above the worst
 * (CORL's rule, with the data's own horizon for its 1000).
 */
export function rewardUnits(
  { normalize_reward, reward_shift }: RewardSettings,
  { returns }: Pick<OfflineSite, "returns">,
): RewardUnits {
  const span = normalize_reward && returns ? returns.best - returns.worst : 0;
  return { scale: span > 0 ? returns!.horizon / span : 1, shift: reward_shift ?? 0 };
}

/** Figures of the data, in its own units. */
export interface RecordedRewards {
  /** Of single rewards. */
  readonly least: number;
  readonly most: number;
  /** Steps that are valued at most; Infinity where the clock cuts episodes. */
  readonly horizon: number;
  /** Largest discounted return from any step on. */
  readonly largestDiscounted?: number;
}

/** What a value can be at most, in the learner's units: for `watchDivergence`. */
export function valueFacts(
  { least, most, horizon, largestDiscounted }: RecordedRewards,
  { discount, units: { scale, shift } }: { readonly discount: number; readonly units: RewardUnits },
): ValueFacts {
  const ends = [least, most].map((reward) => Math.abs(reward * scale + shift));
  // A shift counts by the steps that are left, which the data's returns don't say.
  const best =
    shift === 0 && largestDiscounted !== undefined ? largestDiscounted * scale : undefined;
  const facts = { rewardBound: Math.max(...ends), discount, horizon };
  return best === undefined ? facts : { ...facts, bestReturn: best };
}

/**
 * What is allowed and changes the problem: subtracting from rewards makes ending early worth more.
 *
 * @param terminals some recorded episodes end in a terminal state
 */
export function rewardWarnings(
  { reward_shift }: Pick<RewardSettings, "reward_shift">,
  terminals: boolean,
): readonly string[] {
  if (!reward_shift || !terminals) return [];
  const effect =
    reward_shift < 0
      ? "a policy may learn to end them sooner"
      : "a policy may learn to put off ends that are good";
  return [
    `reward_shift ${reward_shift} is added to every reward, and episodes here can end early: ${effect}; normalize_reward scales only`,
  ];
}
