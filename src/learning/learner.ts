import type { NamedArrays } from "../../policies/named-array.ts";
import type { Policy } from "../../policies/policy.ts";
import type { Metrics } from "../metrics/metric-sink.ts";
import type { Acting } from "./acting.ts";
import type { Experience } from "./experience.ts";
import type { GradientMeter, ParameterGroup, Update } from "./owners.ts";
import type { Stage } from "./stage.ts";

/** What an experience must hold: `obs/GROUP`, the true successors `next/GROUP`, what the actor noted as `notes/NAME`. */
export interface Needs {
  readonly groups: readonly string[];
  readonly successors: readonly string[];
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
  /** @param experience handed over: nobody else reads it again; `meter` holds each update against its claim */
  update(experience: Experience, stage: Stage, meter?: GradientMeter): Promise<Metrics>;
  save(): Promise<LearnerState>;
  load(state: LearnerState): void;
  dispose(): void;
}
