import type { Memory } from "../../policies/policy.ts";

/** What was seen and done in one rollout, by the environments that may be learned from. Arrays are `[steps, numEnvs, width]`, row-major. */
export interface Rollout {
  readonly steps: number;
  readonly numEnvs: number;
  /** Observation groups the learner asked for. */
  readonly observations: Readonly<Record<string, Float32Array>>;
  /** Observations after the last step, `[numEnvs, width]` by group. */
  readonly next: Readonly<Record<string, Float32Array>>;
  /** The student's memory before the first step, `[numEnvs, width]` each; `[]` for one without. */
  readonly memory: Memory;
  /** The student's mean action, whoever flew. */
  readonly studentActions: Float32Array;
  /** The teacher's action, clipped to the action range, whoever flew. */
  readonly teacherActions: Float32Array;
  /** What was sent to the simulator. */
  readonly actions: Float32Array;
  /** `[steps, numEnvs]`. */
  readonly rewards: Float32Array;
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
}
