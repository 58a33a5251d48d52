import type { BeliefConfig } from "../../../../policies/beliefs/belief.ts";
import type { RankedPolicy } from "../../../../policies/rankers/ranked-policy.ts";
import type { RankerConfig } from "../../../../policies/rankers/ranker.ts";
import type { Experience } from "../../../learning/experience.ts";
import type { LearnerState, Needs } from "../../../learning/learner.ts";
import type { Metrics } from "../../../metrics/metric-sink.ts";

/** Who acts in a ranker's latent space, and goes on learning to. */
export interface Agent {
  /**
   * @param state `[stateWidth]`, or several: `[rows, stateWidth]`, row-major
   * @param deterministic what it holds for best (the default); false: with noise around that, to explore
   * @returns as many latents, `[rows, latentWidth]`, row-major, within the ranker's bounds
   * @throws PolicyError `state-width`
   */
  select_action(state: ArrayLike<number>, deterministic?: boolean): Promise<Float32Array>;
  /**
   * One update for each step of the experience, of `numEnvs` turns each, as `recordedTurns` gives them:
   * `obs/history` and `next/history`, the latest turns as codes (see `codesOf`), or `obs/user` and `next/user`;
   * `actions`, latents; `rewards`, clicks; `terminated`. What acts afterwards has learned from it.
   *
   * @throws RunError `frozen-agent`; LearningError `missing-array`, `array-size`, `diverged`
   */
  train_step(batch: Experience): Promise<Metrics>;
  /** With its belief before it and its ranker behind it: observations in, slates out. */
  readonly policy: RankedPolicy;
  get_config(): AgentConfig;
  /** All that it learned, moments of its optimisers and counters too. */
  save(): Promise<LearnerState>;
  /** The inverse. @throws RunError `frozen-agent`; LearningError where it is another agent's */
  load(state: LearnerState): void;
  /** Also of belief and ranker. */
  dispose(): void;
}

/** Plain JSON. */
export interface AgentConfig {
  /** Its algorithm, e.g. `td3_bc`. */
  readonly agent: string;
  /** What a batch must hold; absent: it is frozen. */
  readonly needs?: Needs;
  /** Of one state, which its belief makes of what was seen. */
  readonly stateWidth: number;
  /** Of one action, of which its ranker makes a slate. */
  readonly latentWidth: number;
  readonly ranker: RankerConfig;
  readonly belief: BeliefConfig;
}
