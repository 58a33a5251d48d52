import { Streams } from "../inside/streams.ts";
import { itemCount, itemWidth, topicCount, topicWidth } from "./sizes.ts";

/** `diffuse`: an item is about many topics; `focused`: components squared, so that few are left. */
export const variants = ["focused", "diffuse"] as const;
export type Variant = (typeof variants)[number];

/** Which catalogue: the same variant and seed give the same items to the last bit. */
export interface CatalogueKey {
  readonly variant: Variant;
  /** A whole number below 2³². */
  readonly seed: number;
}

export interface Catalogue {
  /** `[1000, 20]` row-major: of each item ten topics × two numbers, none negative, length 1. */
  readonly embeddings: Float32Array;
  /** `[1000]`: the topic, 0 to 9, whose pair of numbers is longest. */
  readonly mainTopic: Uint8Array;
}

/** What a simulator shows that is told nothing. */
export const usualCatalogueSeed = 1;

/** Tells the items' random numbers from those of users and clicks. */
const purpose = 1;

/**
 * All items of one catalogue (GeMS, WSDM 2023). Topic t of an item is w_t·ε_t: w uniform in [0, 1)
 * and made to sum to 1, ε_t = |clip(0.4·z, −1, 1)| with z standard normal in two dimensions. In
 * float64, rounded once.
 */
export function catalogueOf({ variant, seed }: CatalogueKey): Catalogue {
  const streams = new Streams(1, purpose);
  streams.seed(seed);
  const embeddings = new Float32Array(itemCount * itemWidth);
  const mainTopic = new Uint8Array(itemCount);
  const item = new Float64Array(itemWidth);
  for (let id = 0; id < itemCount; id++) {
    drawTopics(streams, 0, item);
    if (variant === "focused") for (const [k, x] of item.entries()) item[k] = x * x;
    const length = Math.hypot(...item);
    for (let k = 0; k < itemWidth; k++) item[k]! /= length;
    embeddings.set(item, id * itemWidth);
    mainTopic[id] = longestTopic(item);
  }
  return { embeddings, mainTopic };
}

/**
 * Fills `out` with w_t·ε_t from stream `i`, w = U^`power`, not normalised: whoever draws an item or
 * a user divides by what they like.
 */
export function drawTopics(streams: Streams, i: number, out: Float64Array, power = 1): void {
  const weights = Array.from({ length: topicCount }, () => streams.uniform(i) ** power);
  streams.normals(i, out);
  for (let k = 0; k < itemWidth; k++) {
    const spread = Math.min(1, Math.abs(0.4 * out[k]!));
    out[k] = weights[Math.floor(k / topicWidth)]! * spread;
  }
}

/** Of the first where two are as long. */
function longestTopic(item: Float64Array): number {
  let [longest, at] = [-1, 0];
  for (let topic = 0; topic < topicCount; topic++) {
    const length = Math.hypot(item[topic * topicWidth]!, item[topic * topicWidth + 1]!);
    if (length > longest) [longest, at] = [length, topic];
  }
  return at;
}
