import type { Frame, StepResult } from "../../protocol/frame.ts";
import type { Settings } from "../../protocol/settings.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { VectorEnv } from "../vector-env.ts";
import { checkActions, checkSeed } from "./env-inputs.ts";
import { EnvLife } from "./env-life.ts";
import { SimError } from "./sim-error.ts";
import type { Simulation } from "./simulation.ts";
import { readSnapshot, type SnapshotOwner, writeSnapshot } from "./snapshot.ts";

/** A simulator of ours as environments: what is asked is checked before anything moves. Closes the simulation. */
export class SimulationEnv implements VectorEnv {
  readonly spec: EnvSpec;
  /** The settings in effect, defaults included. */
  readonly settings: Settings;
  /** Lines for the person who flies here. */
  readonly notices: readonly string[];
  readonly #simulation: Simulation;
  readonly #owner: SnapshotOwner;
  readonly #life = new EnvLife();

  constructor(simulation: Simulation) {
    const { spec, settings, notices } = simulation;
    this.spec = spec;
    this.settings = settings;
    this.notices = notices;
    this.#simulation = simulation;
    this.#owner = { task: spec.task, numEnvs: spec.numEnvs, settings };
  }

  /** @throws SimError `bad-seed` unless it is a whole number below 2³². */
  async reset(seed: number): Promise<Frame> {
    this.#life.refuseClosed();
    checkSeed(seed);
    this.#simulation.reset(seed);
    this.#life.fly();
    return this.#simulation.frame();
  }

  /**
   * @throws SimError; nothing has changed then, but after `diverged` only `reset` and `restore` are
   * left.
   */
  async step(actions: Float32Array): Promise<StepResult> {
    this.#life.refuseIdle();
    const start = performance.now();
    checkActions(actions, this.spec, this.#simulation.actionWords);
    this.#simulation.move(actions);
    const simulated = performance.now();
    const result = await this.#concluded();
    const timing = {
      simulate: (simulated - start) / 1000,
      observe: (performance.now() - simulated) / 1000,
    };
    return { ...result, timing };
  }

  /** Everything that decides what comes next, and the frame that is current. */
  async snapshot(): Promise<Uint8Array> {
    this.#life.refuseIdle();
    return writeSnapshot(this.#owner, this.#simulation.everything());
  }

  /** @throws SimError `bad-snapshot` or `other-snapshot`; nothing has changed then. */
  async restore(state: Uint8Array): Promise<Frame> {
    this.#life.refuseClosed();
    readSnapshot(state, this.#owner, this.#simulation.everything());
    this.#life.fly();
    return this.#simulation.frame();
  }

  async close(): Promise<void> {
    if (this.#life.closed) return;
    this.#life.close();
    await this.#simulation.close?.();
  }

  async #concluded(): Promise<StepResult> {
    try {
      return await this.#simulation.conclude();
    } catch (error) {
      if (error instanceof SimError && error.code === "diverged") this.#life.idle();
      throw error;
    }
  }
}
