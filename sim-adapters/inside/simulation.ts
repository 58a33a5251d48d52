import type { Frame, StepResult } from "../../protocol/frame.ts";
import type { Settings } from "../../protocol/settings.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { ActionWords } from "./env-inputs.ts";
import type { Numbers } from "./snapshot.ts";

/** A simulator of ours, but for what `SimulationEnv` does for all: asked in the right order, with actions that fit. */
export interface Simulation {
  readonly spec: EnvSpec;
  /** The settings in effect, defaults included. */
  readonly settings: Settings;
  /** Lines for the person who flies here. */
  readonly notices: readonly string[];
  readonly actionWords: ActionWords;
  /** Begins an episode in every environment. @param seed a whole number below 2³² */
  reset(seed: number): void;
  /** The bodies' part of a control step. @param actions `[numEnvs, actionWidth]`, finite, not yet within their bounds */
  move(actions: Float32Array): void;
  /** All else of it: what became of them, how episodes ended, and the beginnings of the next ones. @throws SimError `diverged` */
  conclude(): StepResult | Promise<StepResult>;
  /** The current one, in fresh arrays. */
  frame(): Frame;
  /** All that decides what comes next, and the current frame; a snapshot reads these arrays and writes into them. */
  everything(): readonly Numbers[];
  close?(): Promise<void>;
}
