import type { Frame } from "../../protocol/frame.ts";
import type { NamedArrays } from "../named-array.ts";
import type { Memory } from "../policy.ts";
import { gatherGroups } from "../rows.ts";
import type { BeliefConfig, BeliefEncoder, Believed } from "./belief.ts";

/** What the simulator knows of the user, as it is: a privileged reference. */
export class UserBelief implements BeliefEncoder {
  readonly reads: readonly string[] = ["user"];
  readonly #config: BeliefConfig;

  constructor(config: BeliefConfig) {
    this.#config = config;
  }

  get_config(): BeliefConfig {
    return this.#config;
  }

  async encode({ observations, started }: Frame, memory: Memory): Promise<Believed> {
    const { observationWidth } = this.#config;
    const asked = { reads: this.reads, observationWidth };
    return { state: gatherGroups(asked, observations, started.length), memory };
  }

  reset(): Memory {
    return [];
  }

  async save(): Promise<NamedArrays> {
    return {};
  }

  load(): void {}

  dispose(): void {}
}
