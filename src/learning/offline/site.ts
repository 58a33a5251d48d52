import type { OutputRange } from "../../../policies/networks/bounded.ts";
import type { NormaliserState } from "../../../policies/networks/normaliser.ts";
import { LearningError } from "../learning-error.ts";

/** What recorded flights and their simulator say to a learner. */
export interface OfflineSite {
  /** Observation groups of the policy, concatenated in this order. */
  readonly reads: readonly string[];
  /** Of those groups together. */
  readonly observationWidth: number;
  /** Bounds of the simulator's actions, per component. */
  readonly action: { readonly low: readonly number[]; readonly high: readonly number[] };
  /** Of all observations in the data; absent: of none, and a checkpoint brings them. */
  readonly statistics?: Pick<NormaliserState, "mean" | "std"> & { readonly count: number };
  /** Returns of the data's episodes, and steps of the longest: for `normalize_reward`. */
  readonly returns?: Returns;
  readonly seed: number;
}

export interface Returns {
  readonly least: number;
  readonly most: number;
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

/** Statistics for a normaliser that divides by std + 1e-3; before any data mean 0 and std 1. */
export function stateNormaliser({ statistics, observationWidth }: OfflineSite): NormaliserState {
  if (statistics === undefined) {
    const mean = new Float32Array(observationWidth);
    const std = new Float32Array(observationWidth).fill(1);
    return { mean, std, variance: std.slice(), count: 0, epsilon: STATE_EPSILON };
  }
  const { mean, std, count } = statistics;
  return { mean, std, variance: std.map((s) => s * s), count, epsilon: STATE_EPSILON };
}

/**
 * Steps of the longest episode over the span of returns: the best return is about one reward of 1 per
 * step above the worst (CORL's rule, with the data's own horizon for its 1000).
 */
export function rewardScaleOf(returns: Returns | undefined): number {
  if (returns === undefined) return 1;
  const span = returns.most - returns.least;
  return span > 0 ? returns.horizon / span : 1;
}

/**
 * What is allowed and changes the problem: subtracting from rewards makes ending early worth more.
 *
 * @param terminals some recorded episodes end in a terminal state
 */
export function rewardWarnings(
  { reward_shift }: { readonly reward_shift: number | null },
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
