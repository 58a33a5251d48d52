import type { Metrics } from "../../metrics/metric-sink.ts";

/** When something was measured. */
export interface Moment {
  readonly iteration: number;
  /** Optimiser steps of the learner so far. */
  readonly updates: number;
  /** Name of the stage. */
  readonly stage: string;
}

export interface MonitorEvent {
  readonly monitor: "rebound" | "divergence" | "band";
  /** Which of the monitor's rules, e.g. `bound`, `growth`, `not-finite`, `recovered`. */
  readonly rule: string;
  /** `alarm` is what a run may be stopped for; `note` is good news, `hint` proves nothing. */
  readonly level: "note" | "hint" | "warn" | "alarm";
  readonly metric: string;
  readonly values: Readonly<Record<string, number>>;
  /** One sentence for people, with the values. */
  readonly message: string;
  /** The next move; empty with good news. */
  readonly next: string;
}

/** Looks at figures as they come and says what is wrong with them, once each time it begins. */
export interface Monitor {
  observe(metrics: Metrics, at: Moment): readonly MonitorEvent[];
  /** Plain JSON. */
  save(): unknown;
  load(state: unknown): void;
}
