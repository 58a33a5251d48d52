import type { Memory } from "../../policies/policy.ts";

/** Row-major arrays by name. */
export type Arrays = Readonly<Record<string, Float32Array | Uint8Array | Int32Array>>;

/**
 * What was seen and done. Time-major `[steps, numEnvs, …]`: `obs/GROUP`; `next/GROUP`, the true successor (the
 * last observation of an episode where it ended, never the next one's first); `actions`, what was sent to the
 * simulator; `rewards`, `terminated`, `truncated`, `started`; `notes/NAME`, what the actor noted. Beside them
 * `memory/0` …, the acting policy's before the first step, `[numEnvs, width]`, and `after/GROUP`, the frame after
 * the last step, `[numEnvs, width]`. Of transitions drawn one by one, `steps` are batches of `numEnvs` rows.
 */
export interface Experience {
  readonly steps: number;
  readonly numEnvs: number;
  readonly arrays: Arrays;
}

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
