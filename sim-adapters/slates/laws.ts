import { slateLength, topicCount, topicWidth } from "./sizes.ts";

/** How users look at a slate. */
export interface ClickModel {
  /** Share of users who read from the top; the others read from the bottom. */
  readonly topDown: number;
  /** What attractiveness is divided by where too many items are about the same. */
  readonly penalty: number;
}

/** TopDown, Mixed and DivPen of the paper, as tasks are named. */
export const clickModels = {
  topdown: { topDown: 1, penalty: 1 },
  mix: { topDown: 0.5, penalty: 1 },
  divpen: { topDown: 0.5, penalty: 3 },
} as const satisfies Record<string, ClickModel>;

/** What each rank further away keeps of being looked at. */
const decay = 0.85;

/** So many items of one main topic are too many. */
const crowd = 4;

/** What a click leaves of a user's taste. */
const kept = 0.9;

/** `[10]`: how likely a rank is looked at, ν·0.85^r + (1 − ν)·0.85^(9 − r). */
export function examination({ topDown }: Pick<ClickModel, "topDown">): Float64Array {
  const last = slateLength - 1;
  return Float64Array.from(
    { length: slateLength },
    (_, rank) => topDown * decay ** rank + (1 - topDown) * decay ** (last - rank),
  );
}

/** How likely an item that was looked at is clicked. @param score e·u, topics that bore left out */
export function relevance(score: number): number {
  return 1 / (1 + Math.exp(-100 * (score - 0.28)));
}

/** Whether four items of a slate, or more, share their main topic. @param topics of the items shown */
export function crowded(topics: Uint8Array): boolean {
  for (let topic = 0; topic < topicCount; topic++) {
    let count = 0;
    for (let rank = 0; rank < topics.length; rank++) if (topics[rank] === topic) count++;
    if (count >= crowd) return true;
  }
  return false;
}

/** A click on `item` draws the user, `[20]`, a tenth of the way to it. Both are read at their place. */
export function drawTowards(
  user: Float64Array,
  at: number,
  { embeddings, item }: { readonly embeddings: Float32Array; readonly item: number },
): void {
  const width = topicCount * topicWidth;
  for (let k = 0; k < width; k++) {
    user[at + k] = kept * user[at + k]! + (1 - kept) * embeddings[item * width + k]!;
  }
  weigh(user, at);
}

/** Divides a user, `[20]`, by the sum of its topics' lengths. */
export function weigh(user: Float64Array, at: number): void {
  let sum = 0;
  for (let topic = 0; topic < topicCount; topic++) {
    const k = at + topic * topicWidth;
    sum += Math.sqrt(user[k]! ** 2 + user[k + 1]! ** 2);
  }
  const width = topicCount * topicWidth;
  for (let k = at; k < at + width; k++) user[k]! /= sum;
}
