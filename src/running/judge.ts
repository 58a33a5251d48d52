import type { Stage } from "../learning/stage.ts";
import type { Metrics } from "../metrics/metric-sink.ts";

export interface Judgement {
  /** Figures for the iteration's row. */
  readonly metrics: Metrics;
  /** The higher, the better; NaN where it isn't known. The best student is kept by it. */
  readonly merit: number;
}

/** Says after an iteration how well the student does. */
export interface Judge {
  assess(iteration: number, stage: Stage): Promise<Judgement>;
}
