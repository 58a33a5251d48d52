import { wordsOf } from "../../../protocol/visible.ts";
import { LearningError } from "../learning-error.ts";

/** How values of actions are brought to the scale of the priors. */
export type QTransform =
  /** Between the least and the largest of the node's own value and its visited actions'. */
  | { readonly kind: "by_parent_and_siblings" }
  /** Between two given numbers. */
  | { readonly kind: "by_min_max"; readonly least: number; readonly most: number };

/** MuZero's search (Schrittwieser 2020, appendix B), in mctx's words. */
export interface SearchSettings {
  readonly simulations: number;
  /** Edges from the root to the deepest node; default: no limit. */
  readonly maxDepth?: number;
  /** Weight of the prior: `pb_c_init` + ln((n + `pb_c_base` + 1) / `pb_c_base`). */
  readonly pbCInit: number;
  readonly pbCBase: number;
  readonly qTransform: QTransform;
}

/** @throws LearningError `bad-search`, naming the setting */
export function checkSettings(settings: SearchSettings): void {
  const { simulations, maxDepth, pbCInit, pbCBase, qTransform } = settings;
  const whole = (value: number) => Number.isSafeInteger(value) && value >= 1;
  if (!whole(simulations)) throw bad("simulations", simulations, "a whole number from 1");
  if (maxDepth !== undefined && !whole(maxDepth)) {
    throw bad("maxDepth", maxDepth, "a whole number from 1");
  }
  if (!(Number.isFinite(pbCInit) && pbCInit >= 0)) throw bad("pbCInit", pbCInit, "0 or above");
  if (!(Number.isFinite(pbCBase) && pbCBase > 0)) throw bad("pbCBase", pbCBase, "above 0");
  if (qTransform.kind !== "by_min_max") return;
  const { least, most } = qTransform;
  if (Number.isFinite(least) && Number.isFinite(most) && least < most) return;
  throw bad("qTransform", `${least} to ${most}`, "a finite least value below the most");
}

function bad(name: string, got: unknown, expected: string): LearningError {
  return new LearningError(
    "bad-search",
    `The search's ${name} is ${wordsOf(got, 80)}; expected ${expected}.`,
    "Correct that setting of the search.",
  );
}
