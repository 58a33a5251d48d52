import type { Memory, Policy } from "../../policies/policy.ts";
import type { Random, RandomState } from "../../policies/random.ts";
import type { Frame } from "../../protocol/frame.ts";
import type { ActionSpec } from "../../protocol/spec.ts";
import { clipped, refuseBrokenActions } from "./actions.ts";
import type { Acted, Actor } from "./actor.ts";

export interface ExploringOptions {
  readonly student: Policy;
  readonly action: ActionSpec;
  readonly numEnvs: number;
  /** Standard deviation of the noise, in halves of the action range. */
  readonly noise: number;
  readonly random: Random;
}

/** The student flies in all environments, with noise on its actions: to see what it has not seen. */
export class ExploringActor implements Actor {
  readonly notes = {};
  readonly #options: ExploringOptions;
  /** Deviation by component, in units of the action. */
  readonly #deviations: readonly number[];
  #memory: Memory;

  constructor(options: ExploringOptions) {
    const { action, noise, student, numEnvs } = options;
    this.#options = options;
    this.#deviations = action.low.map((low, i) => (noise * (action.high[i]! - low)) / 2);
    this.#memory = student.initialMemory(numEnvs);
  }

  async act(frame: Frame): Promise<Acted> {
    const { student, action, random } = this.#options;
    const flown = await student.act(frame, this.#memory);
    this.#memory = flown.memory;
    refuseBrokenActions("student", flown.actions);
    const width = this.#deviations.length;
    const wanted = flown.actions.map((value, i) => {
      return value + this.#deviations[i % width]! * random.normal();
    });
    return { actions: clipped(wanted, action), notes: {} };
  }

  memory(): Memory {
    return [];
  }

  forget(): void {
    this.#memory = this.#options.student.initialMemory(this.#options.numEnvs);
  }

  save(): { readonly random: RandomState } {
    return { random: this.#options.random.save() };
  }

  load(state: unknown): void {
    this.#options.random.load((state as { random: RandomState }).random);
  }
}
