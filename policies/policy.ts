import type { Frame } from "../protocol/frame.ts";

/** What a recurrent policy carries from step to step: one `[numEnvs, width]` array per state; `[]` without. */
export type Memory = readonly Float32Array[];

export interface Flown {
  /** `[numEnvs, actionWidth]`, row-major: the deterministic (mean) action. */
  readonly actions: Float32Array;
  readonly memory: Memory;
}

/** Who flies: observations in, actions out. Changes nothing but the memory it returns. */
export interface Policy {
  /** Observation groups it reads, concatenated in this order. */
  readonly reads: readonly string[];
  /** Width of those groups together. */
  readonly observationWidth: number;
  /** Components of one environment's action, in the simulator's units. */
  readonly actionWidth: number;
  /** Groups whose rows it takes apart, as pictures `[height, width, channels]`, by name; absent: any will do. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** Before the first step: zeros. */
  initialMemory(numEnvs: number): Memory;
  /**
   * Memory is zeroed where `frame.started` is 1 before it is used.
   *
   * @throws PolicyError `missing-group`, `observation-width`, `memory-mismatch`
   */
  act(frame: Frame, memory: Memory): Promise<Flown>;
  /** Frees its networks; it can't act any more. */
  dispose(): void;
}
