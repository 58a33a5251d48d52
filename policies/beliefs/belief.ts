import type { Frame } from "../../protocol/frame.ts";
import type { NamedArrays } from "../named-array.ts";
import type { Memory } from "../policy.ts";

/** What was believed, and what it needs to go on. */
export interface Believed {
  /** `[rows, stateWidth]`. */
  readonly state: Float32Array;
  readonly memory: Memory;
}

/** Turns what was seen so far into a state to act on. What it remembers is an argument, and is its caller's. */
export interface BeliefEncoder {
  /** Observation groups, concatenated in this order. */
  readonly reads: readonly string[];
  get_config(): BeliefConfig;
  /** Memory is zeroed where `frame.started` is 1. @throws PolicyError `missing-group`, `observation-width` */
  encode(frame: Frame, memory: Memory): Promise<Believed>;
  /** The memory before anything was seen. */
  reset(rows: number): Memory;
  save(): Promise<NamedArrays>;
  /** @throws PolicyError `missing-weight`, `weight-shape` */
  load(arrays: NamedArrays): void;
  dispose(): void;
}

/** `gru`: over slates and clicks; `user`: what the simulator knows of the user, which nobody else does. */
export const beliefKinds = ["gru", "user"] as const;
export type BeliefKind = (typeof beliefKinds)[number];

/** All that its weights don't say: plain JSON. */
export interface BeliefConfig {
  readonly belief: BeliefKind;
  readonly stateWidth: number;
  /** Of one observation. */
  readonly observationWidth: number;
  /** Latest turns it goes by; 1 where it remembers nothing. */
  readonly turns: number;
  /** Of its recurrent layer; 0 where there is none. */
  readonly hidden: number;
}
