import type { Frame, StepResult } from "../protocol/frame.ts";
import type { EnvSpec } from "../protocol/spec.ts";

/** Many environments stepped in lockstep: in this process or at the other end of a socket. */
export interface VectorEnv {
  readonly spec: EnvSpec;
  /** Starts a new episode in every environment; the same seed gives the same episodes. */
  reset(seed: number): Promise<Frame>;
  /** `actions`: `[numEnvs, actionWidth]`, row-major, handed over for good. One control period passes. */
  step(actions: Float32Array): Promise<StepResult>;
  /** The whole state as bytes; there when `spec.capabilities` has `snapshot`. */
  snapshot?(): Promise<Uint8Array>;
  /** Goes back to a snapshot and gives the frame that was current then. */
  restore?(state: Uint8Array): Promise<Frame>;
  close(): Promise<void>;
}
