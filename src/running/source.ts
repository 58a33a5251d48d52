import type { Experience } from "../learning/experience.ts";
import type { Stage } from "../learning/stage.ts";
import type { Metrics } from "../metrics/metric-sink.ts";
import type { Entered } from "./plan.ts";

export interface Sourced {
  readonly experience: Experience;
  readonly metrics: Metrics;
  /** Control steps the simulator took for it, over all environments; 0 of recorded flights. */
  readonly environmentSteps: number;
  /** What happened on the way, e.g. that the simulator was lost and is back: become events. */
  readonly happened?: readonly Entered[];
}

/** What a source must keep to go on as if it had never stopped. */
export interface SourceState {
  /** Plain JSON. */
  readonly facts: unknown;
  /** E.g. `simulator`: its snapshot. */
  readonly bytes: Readonly<Record<string, Uint8Array>>;
  /** Why bytes are missing that should be there: to be thrown once all else is safe. */
  readonly lost?: unknown;
}

/** Where experience comes from: a collector, recorded flights, a mixture of both. */
export interface Source {
  /** Of a new run; `load` of one that goes on. */
  start(): Promise<void>;
  next(stage: Stage): Promise<Sourced>;
  save(): Promise<SourceState>;
  /** Gives in words where it goes on. */
  load(state: SourceState, iteration: number): Promise<string>;
  close(): Promise<void>;
}
