import type { NamedArray, NamedArrays } from "../../policies/named-array.ts";
import type { Policy } from "../../policies/policy.ts";
import type { Metrics } from "../metrics/metric-sink.ts";
import type { Rollout } from "./experience.ts";

/** Everything a learner must keep to go on as if it had never stopped: plain arrays by name. */
export interface LearnerState {
  /** Parameters and, where there is one, `obs_normalizer.*`, by PyTorch's names. */
  readonly student: NamedArrays;
  readonly optimiser: OptimiserState;
}

/** In the layout of torch.optim: settings, and moments per parameter in the parameters' order. */
export interface OptimiserState {
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly step: number;
  readonly moments: readonly Readonly<Record<string, NamedArray>>[];
}

/** Batches → a better policy. The only one that changes the policy. */
export interface Learner {
  readonly policy: Policy;
  /** Observation groups that a rollout must hold. */
  readonly needs: readonly string[];
  /**
   * Takes in one rollout; no tensor outlives the call but weights and moments.
   *
   * @param progress share of the planned iterations that have been flown, 0 to 1
   */
  update(rollout: Rollout, progress: number): Promise<Metrics>;
  save(): Promise<LearnerState>;
  load(state: LearnerState): void;
  dispose(): void;
}
