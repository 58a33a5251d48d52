import type { Frame, StepResult } from "../../protocol/frame.ts";
import type { Settings } from "../../protocol/settings.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { ActionWords } from "../inside/env-inputs.ts";
import type { Simulation } from "../inside/simulation.ts";
import { Audience } from "./audience.ts";
import { EpisodeFigures } from "./episode-figures.ts";
import { catalogueOf } from "./items.ts";
import { clickModels } from "./laws.ts";
import { observe } from "./observer.ts";
import { itemCount, slateLength } from "./sizes.ts";
import { type SlatesTask, specOf } from "./tasks.ts";

const actionWords: ActionWords = {
  row: `Send a row of ${slateLength} item ids per environment.`,
  expected: `an item id from 0 to ${itemCount - 1}`,
  component: (_, name) => `${name}`,
};

/**
 * Users who are shown slates. One step is one turn: ten items are shown, some are clicked, the user
 * drifts towards these and tires of their topics. Nobody leaves: `terminated` is never 1, and the
 * clock ends an episode. In float64, what leaves in float32.
 */
export class SlatesSimulation implements Simulation {
  readonly spec: EnvSpec;
  readonly settings: Settings;
  readonly notices: readonly string[] = [];
  readonly actionWords = actionWords;
  readonly #audience: Audience;
  readonly #figures: EpisodeFigures;
  /** Where the last frame begins an episode. */
  readonly #started: Uint8Array;
  /** Clicks of each user's last turn; handed over with it. */
  #rewards = new Float32Array(0);

  constructor(task: SlatesTask, numEnvs: number, all: Settings) {
    const seed = all["sim.catalogue_seed"] as number;
    this.spec = specOf(task, numEnvs, seed);
    this.settings = all;
    const catalogue = catalogueOf({ variant: task.variant, seed });
    this.#audience = new Audience(numEnvs, catalogue, clickModels[task.model]);
    this.#figures = new EpisodeFigures(numEnvs);
    this.#started = new Uint8Array(numEnvs);
  }

  reset(seed: number): void {
    this.#audience.seed(seed);
    for (let i = 0; i < this.spec.numEnvs; i++) this.#begin(i);
  }

  /** Every user's turn. */
  move(actions: Float32Array): void {
    const { numEnvs } = this.spec;
    const audience = this.#audience;
    for (let k = 0; k < actions.length; k++) {
      // Beyond the bounds is at the bounds, as everywhere on the wire.
      audience.slates[k] = Math.min(itemCount - 1, Math.max(0, Math.round(actions[k]!)));
    }
    const rewards = new Float32Array(numEnvs);
    for (let i = 0; i < numEnvs; i++) {
      const bored = audience.boredom.any(i);
      rewards[i] = audience.turn(i);
      this.#figures.note(i, rewards[i]!, bored);
    }
    this.#rewards = rewards;
  }

  conclude(): StepResult {
    const rewards = this.#rewards;
    const { numEnvs, maxEpisodeSteps } = this.spec;
    const { turns } = this.#audience;
    const truncated = Uint8Array.from(turns, (turn) => (turn < maxEpisodeSteps ? 0 : 1));
    this.#started.fill(0);
    const ended = truncated.includes(1) ? this.#restart(truncated) : {};
    const terminated = new Uint8Array(numEnvs);
    return { frame: this.frame(), rewards, terminated, truncated, ...ended };
  }

  /** Notes how episodes went and begins the next ones. */
  #restart(truncated: Uint8Array) {
    const rows = Int32Array.from([...truncated.keys()].filter((i) => truncated[i] === 1));
    const log = this.#figures.log(rows, this.#audience);
    const final = { rows, observations: observe(this.#audience, rows) };
    for (const i of rows) this.#begin(i);
    return { final, log };
  }

  #begin(i: number): void {
    this.#audience.begin(i);
    this.#figures.begin(i);
    this.#started[i] = 1;
  }

  frame(): Frame {
    return { observations: observe(this.#audience), started: this.#started.slice() };
  }

  everything() {
    return [...this.#audience.state, ...this.#figures.state, this.#started];
  }
}
