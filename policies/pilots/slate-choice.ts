/** Items as a recommender sees them. */
export interface Items {
  /** `[items, width]` row-major. */
  readonly embeddings: Float32Array;
  /** `[items]` */
  readonly mainTopic: Uint8Array;
  readonly width: number;
}

/** e·u of every item. @param user of `width` numbers */
export function scoresOf(user: Float32Array, { embeddings, width }: Items, out: Float64Array) {
  for (let item = 0, at = 0; item < out.length; item++) {
    let score = 0;
    for (let k = 0; k < width; k++) score += embeddings[at++]! * user[k]!;
    out[item] = score;
  }
}

/** The `length` items of the highest scores, the highest first; of equal ones the first. */
export function bestItems(scores: Float64Array, length: number): number[] {
  const best: number[] = [];
  for (let item = 0; item < scores.length; item++) insert(best, item, scores, length);
  return best;
}

/** As `bestItems`, at most `most` of a main topic. */
export function bestOfTopics(
  scores: Float64Array,
  length: number,
  { mainTopic, most }: { readonly mainTopic: Uint8Array; readonly most: number },
): number[] {
  const byTopic: number[][] = [];
  for (let item = 0; item < scores.length; item++) {
    byTopic[mainTopic[item]!] ??= [];
    insert(byTopic[mainTopic[item]!]!, item, scores, most);
  }
  return byTopic
    .flat()
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .slice(0, length);
}

/** Puts an item where its score belongs, and drops the last one where there are too many. */
function insert(best: number[], item: number, scores: Float64Array, most: number): void {
  const score = scores[item]!;
  if (best.length === most) {
    if (score <= scores[best[most - 1]!]!) return;
    best.pop();
  }
  let at = best.length;
  while (at > 0 && scores[best[at - 1]!]! < score) at--;
  best.splice(at, 0, item);
}
