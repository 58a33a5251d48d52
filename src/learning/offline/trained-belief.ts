import type { Network } from "../../../policies/networks/network.ts";
import type { ParameterGroup } from "../owners.ts";

/** A network before everything else of a learner, which one of its owners steps. */
export interface TrainedBelief {
  /** What is recorded, `[rows, recordedWidth]`, to states. */
  readonly network: Network;
  /** Arrays that it reads and that nobody moves. */
  readonly constants: ParameterGroup["parameters"];
  /** Whose loss moves it; null: the critic's, where there is one, else the actor's. */
  readonly owner: "critic" | "actor" | null;
}
