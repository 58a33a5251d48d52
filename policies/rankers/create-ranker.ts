import { nearest } from "../../protocol/nearest.ts";
import { PolicyError } from "../policy-error.ts";
import { type RankerLearning, usualLearning } from "./descent.ts";
import { GemsRanker } from "./gems.ts";
import { type Ranker, type RankerConfig, type RankerName, rankerNames } from "./ranker.ts";
import { SoftmaxRanker } from "./softmax.ts";
import { TopKRanker } from "./top-k.ts";
import { WknnRanker } from "./wknn.ts";

/** However it is spelt: `gems`, `top_k`. @throws PolicyError `unknown-ranker` */
export function rankerNamed(name: string): RankerName {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const found = rankerNames.find((known) => plain(known) === plain(name));
  if (found !== undefined) return found;
  const near = nearest(name, rankerNames);
  const guess = near === undefined ? "" : ` Did you mean ${near}?`;
  throw new PolicyError(
    "unknown-ranker",
    `there is no ranker ${JSON.stringify(name)}; expected one of ${rankerNames.join(", ")}`,
    `For example --ranker GeMS.${guess}`,
  );
}

/** Of a ranker's latent, where nobody says: GeMS has a space of its own, the others points among items. */
export function usualLatentWidth(
  ranker: RankerName,
  { itemWidth, slots }: Pick<RankerConfig, "itemWidth" | "slots">,
): number {
  if (ranker === "GeMS") return 32;
  return ranker === "WkNN" ? slots * itemWidth : itemWidth;
}

/**
 * @param items `[items, itemWidth]`; only GeMS does without
 * @param learning what `train_step` goes by
 * @throws PolicyError `no-embeddings`, `bad-ranker`
 */
export function createRanker(
  config: RankerConfig,
  items: Float32Array | undefined,
  learning: RankerLearning = usualLearning,
): Ranker {
  const { ranker, embeddings, latentWidth } = config;
  const width = ranker === "GeMS" ? latentWidth : usualLatentWidth(ranker, config);
  if (width !== latentWidth) throw wrongWidth(config, width);
  if (ranker === "GeMS") return new GemsRanker(config, items, learning);
  if (items === undefined) throw noEmbeddings(ranker, embeddings);
  if (ranker === "WkNN") return new WknnRanker(config, items);
  if (ranker === "TopK") return new TopKRanker(config, items);
  return new SoftmaxRanker(config, items, learning);
}

function wrongWidth({ ranker, latentWidth }: RankerConfig, width: number): PolicyError {
  return new PolicyError(
    "bad-ranker",
    `the latents of ${ranker} are ${width} wide among these items, not ${latentWidth}`,
    "Leave the width out.",
  );
}

function noEmbeddings(ranker: string, embeddings: string): PolicyError {
  return new PolicyError(
    "no-embeddings",
    `${ranker} needs embeddings of the items, and they are ${embeddings}`,
    "Take those of logged clicks, --embeddings mf, or the simulator's own, --embeddings ideal.",
  );
}
