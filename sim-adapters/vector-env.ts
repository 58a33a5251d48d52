import type { Frame, StepResult } from "../protocol/frame.ts";
import type { EnvSpec } from "../protocol/spec.ts";

/**
 * Many environments stepped in lockstep: in this process or at the other end of a socket. One call at a time; what
 * fails throws an Error with a `code` for programs and a `hint` for people.
 */
export interface VectorEnv {
  readonly spec: EnvSpec;
  /** Starts a new episode in every environment; the same seed, a whole number below 2³¹, gives the same episodes. */
  reset(seed: number): Promise<Frame>;
  /**
   * One control period passes. `actions`: `[numEnvs, actionWidth]`, row-major, in the units of `spec.action`, handed
   * over for good.
   */
  step(actions: Float32Array): Promise<StepResult>;
  /** The whole state as bytes; there when `spec.capabilities` has `snapshot`. */
  snapshot?(): Promise<Uint8Array>;
  /** Goes back to a snapshot and gives the frame that was current then. */
  restore?(state: Uint8Array): Promise<Frame>;
  /** Frees everything; a second time it does nothing. */
  close(): Promise<void>;
}
