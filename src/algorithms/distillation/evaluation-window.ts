import { type EnvSplit, rowCount } from "../../running/env-split.ts";
import type { DistillationConfig } from "./settings.ts";

/**
 * Two whole episodes of each row, so that no single lucky one makes a best student; not more unless asked for: in a
 * small fleet of long episodes the older ones were flown by a student of long ago.
 */
export function evaluationWindow(
  { evaluation }: Pick<DistillationConfig, "evaluation">,
  split: EnvSplit,
): number {
  return Math.max(evaluation.window ?? 3, 2 * rowCount(split.evaluation.student!));
}
