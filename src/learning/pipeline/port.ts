import type { NamedArrays } from "../../../policies/named-array.ts";
import type { Metrics } from "../../metrics/metric-sink.ts";
import type { Experience } from "../experience.ts";
import type { FlowRow } from "../flow-row.ts";
import type { LearnerState } from "../learner.ts";
import type { Stage } from "../stage.ts";

/** One end of a line between two threads: a `Worker`, a `MessagePort`. */
export interface Port {
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void;
  on(event: "message", listener: (message: unknown) => void): unknown;
}

/** An update to be done over there. */
export interface UpdateOrder {
  readonly experience: Experience;
  readonly stage: Stage;
  /** Updates of each kind to be measured; absent: none. */
  readonly measured?: number;
}

/** What an update over there led to. */
export interface Learned {
  readonly metrics: Metrics;
  /** What acts from now on: see `Acting`. */
  readonly acting: NamedArrays;
  /** What was measured. */
  readonly rows: readonly FlowRow[];
  /** It took. */
  readonly seconds: number;
}

/** What a learner over there can be asked: argument and answer. One after the other, in the order asked. */
export interface LearnerCalls {
  readonly make: readonly [order: unknown, answer: undefined];
  readonly update: readonly [order: UpdateOrder, answer: Learned];
  readonly load: readonly [state: LearnerState, answer: Learned];
  readonly save: readonly [nothing: undefined, answer: LearnerState];
}
