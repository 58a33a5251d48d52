import { z } from "zod";
import { readBytes } from "../../../../policies/checkpoint/checkpoint-file.ts";
import { sealOf } from "../../../../policies/checkpoint/seal.ts";
import { readTorchFile, writeTorchFile } from "../../../../policies/checkpoint/torch-file.ts";
import { isDict, torchDict } from "../../../../policies/checkpoint/torch-value.ts";
import type { NamedArrays } from "../../../../policies/named-array.ts";
import { createRanker } from "../../../../policies/rankers/create-ranker.ts";
import {
  embeddingKinds,
  type Ranker,
  type RankerConfig,
  rankerNames,
} from "../../../../policies/rankers/ranker.ts";
import { RunError } from "../../../runs/run-error.ts";
import { arraysIn, dictOf } from "../../saved-arrays.ts";
import { checkedFacts, counter, damaged } from "../../saved-facts.ts";

/** Bumped when what is kept changes so that an older reader would go wrong. */
const format = 1;

const size = counter.min(1).max(1_000_000);

export const rankerConfig = z.object({
  ranker: z.enum(rankerNames),
  ...{ latentWidth: size, items: size.max(65_536), itemWidth: size, slots: size.min(2) },
  embeddings: z.enum(embeddingKinds),
  ...{ seed: counter, task: z.string(), dataset: z.string() },
});

const schema = z.object({ format: z.literal(format), ranker: rankerConfig });

/** A file that torch reads: `ranker_state_dict`, and in `infos["firstsolo"]` the configuration as JSON. */
export async function rankerBytes(ranker: Ranker): Promise<Uint8Array> {
  const facts = JSON.stringify({ format, ranker: ranker.get_config() });
  return writeTorchFile(
    torchDict({
      ranker_state_dict: dictOf(await ranker.save()),
      infos: torchDict({ firstsolo: torchDict({ facts }) }),
    }),
  );
}

/** @throws CheckpointError, RunError `not-a-ranker`, `bad-checkpoint`; PolicyError where its weights don't fit */
export async function readRanker(path: string): Promise<Ranker> {
  const { config, weights } = await readRankerFile(path);
  return restoredRanker(config, arraysIn(weights, path));
}

/** What a ranker's file says of it, without its networks. @throws as `readRanker`, but for its weights */
export async function readRankerConfig(path: string): Promise<RankerConfig> {
  return (await readRankerFile(path)).config;
}

async function readRankerFile(path: string) {
  const bytes = await readBytes(path);
  if (sealOf(bytes) === "broken") throw damaged(path, "it is not what was written");
  const whole = readTorchFile(bytes, path);
  const infos = isDict(whole) ? whole.get("infos") : undefined;
  const own = isDict(infos) ? infos.get("firstsolo") : undefined;
  const text = isDict(own) ? own.get("facts") : undefined;
  const weights = isDict(whole) ? whole.get("ranker_state_dict") : undefined;
  if (typeof text !== "string" || !isDict(weights)) throw foreign(path);
  const facts = checkedFacts(schema, text, { where: path, format });
  return { config: facts.ranker, weights };
}

/** A ranker as it was saved. @throws PolicyError */
export function restoredRanker(config: RankerConfig, arrays: NamedArrays): Ranker {
  const { embeddings } = config;
  const items = embeddings === "scratch" ? undefined : arrays.items?.data;
  const ranker = createRanker(config, items);
  ranker.load(arrays);
  return ranker;
}

function foreign(path: string): RunError {
  return new RunError(
    "not-a-ranker",
    `${path} is no checkpoint of a ranker`,
    "Give the ranker.pt that `firstsolo train_ranker` wrote.",
  );
}
