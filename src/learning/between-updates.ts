import type { Metrics } from "../metrics/metric-sink.ts";
import { LearningError } from "./learning-error.ts";

/** Signals, timers and the screen get their turn between two updates. */
export function letOthersRun(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** No figure is NaN. @param hint what may help where one is @throws LearningError `diverged` */
export function checkFinite(metrics: Metrics, hint: string): void {
  const wrong = Object.entries(metrics).find(([, value]) => Number.isNaN(value));
  if (wrong === undefined) return;
  throw new LearningError("diverged", `${wrong[0]} is no longer a number.`, hint);
}
