import type { QTransform, SearchSettings } from "./search-settings.ts";
import type { SearchTrees } from "./search-trees.ts";

const leastSpan = 1e-8;

export type Selecting = Pick<SearchSettings, "pbCInit" | "pbCBase" | "qTransform">;

/** A node, by its place among all trees' nodes, and its tree's first. */
export interface Place {
  readonly node: number;
  readonly first: number;
}

/**
 * The action of the largest value(a) + √n · (pb_c_init + ln((n + pb_c_base + 1) / pb_c_base)) · p(a) / (N(a) + 1),
 * the first of equals.
 *
 * @param forbidden 1 for actions that are never chosen, from `at` on; absent: none
 */
export function selectAction(
  trees: SearchTrees,
  { node, first }: Place,
  settings: Selecting,
  forbidden?: { readonly mask: Uint8Array; readonly at: number },
): number {
  const { actions } = trees.shape;
  const from = node * actions;
  const n = trees.visits[node]!;
  const { pbCInit, pbCBase } = settings;
  const weight = Math.sqrt(n) * (pbCInit + Math.log((n + pbCBase + 1) / pbCBase));
  const { low, span } = scaleOf(trees, { node, first }, settings.qTransform);
  let best = -1;
  let highest = -Infinity;
  for (let a = 0; a < actions; a += 1) {
    if (forbidden?.mask[forbidden.at + a]) continue;
    const count = trees.childVisits[from + a]!;
    const value = count > 0 ? (trees.qValue(from + a, first) - low) / span : 0;
    const score = value + (weight * trees.priors[from + a]!) / (count + 1);
    if (score > highest) {
      highest = score;
      best = a;
    }
  }
  return best;
}

function scaleOf(trees: SearchTrees, { node, first }: Place, transform: QTransform) {
  if (transform.kind === "by_min_max") {
    return { low: transform.least, span: Math.max(transform.most - transform.least, leastSpan) };
  }
  const { actions } = trees.shape;
  const from = node * actions;
  let low = trees.values[node]!;
  let high = low;
  for (let edge = from; edge < from + actions; edge += 1) {
    if (trees.childVisits[edge] === 0) continue;
    const value = trees.qValue(edge, first);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, span: Math.max(high - low, leastSpan) };
}
