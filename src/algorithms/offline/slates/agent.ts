import type { BeliefConfig } from "../../../../policies/beliefs/belief.ts";
import type { NamedArrays } from "../../../../policies/named-array.ts";
import type { RankedPolicy } from "../../../../policies/rankers/ranked-policy.ts";
import type { RankerConfig } from "../../../../policies/rankers/ranker.ts";

/** Who acts in a ranker's latent space, frozen: what trains it is a learner, `BatchLearner`. */
export interface Agent {
  /**
   * @param state one state of `get_config().stateWidth` numbers, or several, row-major
   * @param deterministic what it holds for best (the default); false: with noise around that, to explore
   * @returns as many latents, within the ranker's bounds
   * @throws PolicyError `state-width`
   */
  select_action(state: ArrayLike<number>, deterministic?: boolean): Promise<Float32Array>;
  /** With its belief before it and its ranker behind it: observations in, slates out. */
  readonly policy: RankedPolicy;
  get_config(): AgentConfig;
  /** Its weights by name. */
  save(): NamedArrays;
  /** Also of belief and ranker. */
  dispose(): void;
}

/** Plain JSON. */
export interface AgentConfig {
  readonly agent: string;
  readonly stateWidth: number;
  readonly latentWidth: number;
  readonly ranker: RankerConfig;
  readonly belief: BeliefConfig;
}
