import type { Memory, Policy } from "../../policies/policy.ts";
import type { Random } from "../../policies/random.ts";
import type { Frame } from "../../protocol/frame.ts";
import type { ActionSpec, TensorSpec } from "../../protocol/spec.ts";
import type { Arrays } from "../learning/experience.ts";
import { clipped, refuseBrokenActions } from "./actions.ts";
import type { Acted, Actor } from "./actor.ts";

export interface MixedPolicy {
  /** E.g. `teacher`, `student`: its actions are noted as `NAME_actions`, whoever drives. */
  readonly name: string;
  readonly policy: Policy;
  /** Of the episodes that it drives, 0 to 1; all together 1. */
  readonly share: number;
}

export interface PolicyMixOptions {
  readonly policies: readonly MixedPolicy[];
  readonly action: ActionSpec;
  readonly numEnvs: number;
  /** Standard deviation of the noise on the driver's actions, in units of the action. */
  readonly noiseStd: number;
  readonly random: Random;
}

/**
 * Several policies share the episodes: each is drawn a driver, the others say what they would do. Who has had less than
 * its share is the likelier to be drawn, so that shares hold to about one episode, however few are flown.
 */
export class PolicyMix implements Actor {
  readonly notes: Readonly<Record<string, TensorSpec>>;
  readonly #options: PolicyMixOptions;
  /** By environment. */
  readonly #drivers: Uint8Array;
  /** Episodes that each began. */
  readonly #begun: number[];
  #memories: readonly Memory[];

  constructor(options: PolicyMixOptions) {
    const { policies, action, numEnvs } = options;
    const likeActions = { dtype: "<f4", shape: action.shape } as const;
    const named = policies.map(({ name }) => [`${name}_actions`, likeActions] as const);
    this.notes = {
      ...Object.fromEntries(named),
      noise: likeActions,
      driver: { dtype: "|u1", shape: [] },
    };
    this.#options = options;
    this.#drivers = new Uint8Array(numEnvs);
    this.#begun = policies.map(() => 0);
    this.#memories = policies.map(({ policy }) => policy.initialMemory(numEnvs));
  }

  async act(frame: Frame): Promise<Acted> {
    const { policies, action } = this.#options;
    const said: Float32Array[] = [];
    const memories: Memory[] = [];
    for (const [i, { name, policy }] of policies.entries()) {
      const flown = await policy.act(frame, this.#memories[i]!);
      refuseBrokenActions(name, flown.actions);
      said.push(clipped(flown.actions, action));
      memories.push(flown.memory);
    }
    this.#memories = memories;
    for (let row = 0; row < this.#drivers.length; row += 1) {
      if (frame.started[row]) this.#drivers[row] = this.#draw();
    }
    const { actions, noise } = this.#driven(said);
    const notes: Record<string, Arrays[string]> = { noise, driver: this.#drivers.slice() };
    for (const [i, { name }] of policies.entries()) notes[`${name}_actions`] = said[i]!;
    return { actions, notes };
  }

  memory(): Memory {
    return [];
  }

  forget(): void {
    const { policies, numEnvs } = this.#options;
    this.#memories = policies.map(({ policy }) => policy.initialMemory(numEnvs));
  }

  save(): null {
    return null;
  }

  load(): void {}

  #draw(): number {
    const { policies, random } = this.#options;
    if (policies.length === 1) return 0;
    const next = this.#begun.reduce((sum, count) => sum + count, 1);
    const lacking = policies.map(({ share }, i) => Math.max(0, share * next - this.#begun[i]!));
    const all = lacking.reduce((sum, part) => sum + part, 0);
    let left = random.uniform() * all;
    const drawn = lacking.findIndex((part) => {
      left -= part;
      return left < 0;
    });
    // Rounding may leave a crumb behind the last one.
    const driver = drawn < 0 ? lacking.indexOf(Math.max(...lacking)) : drawn;
    this.#begun[driver]! += 1;
    return driver;
  }

  /** The noise that is noted is what came through the bounds. */
  #driven(said: readonly Float32Array[]) {
    const { action, noiseStd, random, numEnvs } = this.#options;
    const wanted = said[0]!.slice();
    const width = wanted.length / numEnvs;
    for (let i = 0; i < wanted.length; i += 1) {
      wanted[i] = said[this.#drivers[Math.floor(i / width)]!]![i]!;
      if (noiseStd > 0) wanted[i]! += noiseStd * random.normal();
    }
    const actions = clipped(wanted, action);
    const noise = actions.slice();
    for (let i = 0; i < noise.length; i += 1) {
      noise[i]! -= said[this.#drivers[Math.floor(i / width)]!]![i]!;
    }
    return { actions, noise };
  }
}
