import type { Memory } from "../../policies/policy.ts";
import type { Frame } from "../../protocol/frame.ts";
import type { TensorSpec } from "../../protocol/spec.ts";
import type { Arrays } from "../learning/experience.ts";
import type { Stage } from "../learning/stage.ts";

/** What is done, and what is to be remembered of why. */
export interface Acted {
  /** `[numEnvs, actionWidth]`, row-major: to be sent to the simulator. */
  readonly actions: Float32Array;
  /** `[numEnvs, …]` by name: those of `Actor.notes`. */
  readonly notes: Arrays;
}

/** Who acts in the environments: teacher and student, a policy that explores, a planner. */
export interface Actor {
  /** E.g. `teacher_actions`, `driver`: the share of one environment. */
  readonly notes: Readonly<Record<string, TensorSpec>>;
  act(frame: Frame, stage: Stage): Promise<Acted>;
  /** The learning policy's memory as it will act on this frame, all rows; `[]` without. */
  memory(frame: Frame): Memory;
  save(): unknown;
  load(state: unknown): void;
  /** Memories start afresh with the episodes: after a reset of all environments. */
  forget(): void;
}
