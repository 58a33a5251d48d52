/** Items as a recommender sees them. */
export interface Items {
  /** `[items, width]` row-major. */
  readonly embeddings: Float32Array;
  /** `[items]` */
  readonly mainTopic: Uint8Array;
  readonly width: number;
}

/** e·u of every item. @param user of `width` numbers, a multiple of four */
export function scoresOf(user: Float64Array, { embeddings, width }: Items, out: Float64Array) {
  for (let item = 0, at = 0; item < out.length; item++) {
    // Four sums, as one would wait for itself at every addition.
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let k = 0; k < width; k += 4, at += 4) {
      a += embeddings[at]! * user[k]!;
      b += embeddings[at + 1]! * user[k + 1]!;
      c += embeddings[at + 2]! * user[k + 2]!;
      d += embeddings[at + 3]! * user[k + 3]!;
    }
    out[item] = a + b + (c + d);
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
