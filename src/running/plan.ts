import type { Stage } from "../learning/stage.ts";
import type { Metrics } from "../metrics/metric-sink.ts";

/** Said when a stage begins that was not the one before: becomes an event. */
export interface Entered {
  readonly type: string;
  /** What led there, e.g. `plan`, `gate`, `asked`. */
  readonly why: string;
  readonly message: string;
  readonly [detail: string]: unknown;
}

export interface Planned {
  readonly stage: Stage;
  /** What the iteration's row says of it. */
  readonly metrics: Metrics;
  readonly entered?: Entered;
}

/** Which stage an iteration is in, from the settings and from what was measured. No clock, no I/O. */
export interface Plan {
  /** Asked once before each iteration, and again after a request: `entered` is said once. */
  at(iteration: number): Planned;
  /** An iteration's row, and the figure the best student is kept by; NaN where it isn't known yet. */
  observe(metrics: Metrics, merit: number): void;
  /** `done`, or why not. */
  ask(request: string, iteration: number): string;
  save(): unknown;
  /** The settings may have changed since. */
  load(state: unknown): void;
}
