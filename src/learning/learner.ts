import type { NamedArrays } from "../../policies/named-array.ts";
import type { Policy } from "../../policies/policy.ts";
import type { Metrics } from "../metrics/metric-sink.ts";
import type { Acting } from "./acting.ts";
import type { Experience } from "./experience.ts";
import type { GradientMeter, ParameterGroup, Update } from "./owners.ts";
import type { Stage } from "./stage.ts";

/** What an experience must hold for a learner. */
export interface Needs {
  /** Observation groups, as `obs/GROUP`. */
  readonly groups: readonly string[];
  /** Those whose true successors are wanted too, as `next/GROUP`. */
  readonly successors: readonly string[];
  /** What the actor noted, as `notes/NAME`. */
  readonly notes: readonly string[];
  /** Rewards are wanted as sums to the end of their episode, at this discount; absent: single ones. */
  readonly rewardsToGo?: number;
}

/** Everything a learner must keep to go on as if it had never stopped. */
export interface LearnerState {
  /** `parameters/GROUP/NAME`, `optimisers/OWNER/MOMENT/NAME`, `normalisers/NAME/…`. */
  readonly arrays: NamedArrays;
  /** Step counters, states of random generators: plain JSON. */
  readonly counters: Readonly<Record<string, unknown>>;
}

/** Experience → better policies. The only one that changes them, and only what its claims say. */
export interface Learner {
  readonly needs: Needs;
  readonly groups: readonly ParameterGroup[];
  readonly updates: readonly Update[];
  /** Names of every loss that an update may add up. */
  readonly losses?: readonly string[];
  /** What may act, be evaluated, be exported; `student` is who is judged. */
  readonly policies: Readonly<Record<string, Policy>>;
  /** Where a copy in another thread may act meanwhile: see `pipeline/`. */
  readonly acting?: Acting;
  /** @param meter measures each update against its claim, where one is given */
  update(experience: Experience, stage: Stage, meter?: GradientMeter): Promise<Metrics>;
  save(): Promise<LearnerState>;
  load(state: LearnerState): void;
  dispose(): void;
}
