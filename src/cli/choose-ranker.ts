import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { RankerConfig } from "../../policies/rankers/ranker.ts";
import { readRankerConfig } from "../algorithms/offline/slates/ranker-file.ts";
import { usualWeights } from "../algorithms/slates/train-ranker.ts";
import { ConfigError } from "../config/config-error.ts";
import { rankerWords } from "./ranker-words.ts";
import { makeRanker, rankerFile, rankerFolder } from "./train-ranker.ts";

export interface RankerChoice {
  /** With the kind of its items, where that was asked for and is not the usual one. */
  readonly name: string;
  /** Its checkpoint. */
  readonly path: string;
  /** The flights it learned from. */
  readonly dataset: string;
}

export interface RankerWish {
  /** See `rankerWords`. */
  readonly ranker: string;
  readonly checkpoint: string | undefined;
  readonly task: string;
  /** Absent: those that the ranker learned from. */
  readonly dataset: string | undefined;
  readonly root: string;
  readonly say: (line: string) => void;
}

/**
 * The checkpoint that was named; else the newest of that ranker which learned from these flights; else one that is
 * trained now, as `train_ranker` would. The engine runs. @throws ConfigError `other-ranker`, `no-dataset`
 */
export async function chooseRanker(wish: RankerWish): Promise<RankerChoice> {
  const { checkpoint, task, dataset, root, say } = wish;
  const { name: ranker, label: name, embeddings } = rankerWords(wish.ranker);
  const fits = (found: RankerConfig) =>
    found.ranker === ranker && (embeddings === null || found.embeddings === embeddings);
  if (checkpoint !== undefined) {
    const found = await readRankerConfig(checkpoint);
    if (!fits(found)) throw otherRanker(checkpoint, found, wish.ranker);
    return { name, path: resolve(checkpoint), dataset: dataset ?? found.dataset };
  }
  const order = { ranker, task };
  for (const path of newestFirst(join(root, rankerFolder(order)))) {
    const found = await readRankerConfig(path);
    if (!fits(found) || (dataset !== undefined && resolve(dataset) !== found.dataset)) continue;
    say(`the newest ${name} for these slates: ${path}`);
    return { name, path, dataset: dataset ?? found.dataset };
  }
  if (dataset === undefined) throw nothingToLearnFrom(task);
  say(
    `no ${name} has learned from ${dataset} yet: it is trained first, as by firstsolo train_ranker`,
  );
  const usual = {
    seed: 0,
    epochs: 10,
    batch: 256,
    embeddings,
    latentWidth: null,
    ...usualWeights,
  };
  const made = await makeRanker({ ...order, ...usual }, { dataset, log_root: root, say });
  made.trained.ranker.dispose();
  return { name, path: made.checkpoint, dataset };
}

function newestFirst(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const paths = readdirSync(folder).map((name) => resolve(folder, name, rankerFile));
  return paths.filter((path) => existsSync(path)).sort((a, b) => (a < b ? 1 : -1));
}

function otherRanker(path: string, found: RankerConfig, wanted: string): ConfigError {
  const { ranker, embeddings } = found;
  return new ConfigError(
    "other-ranker",
    `${path} holds the ranker ${ranker} with ${embeddings} items, and --ranker is ${wanted}`,
    `Say --ranker ${ranker}, or name another checkpoint.`,
  );
}

function nothingToLearnFrom(task: string): ConfigError {
  return new ConfigError(
    "no-dataset",
    `--dataset is missing, and no ranker for ${task} says which flights it learned from`,
    `Record some: firstsolo record --task ${task} --policy logging --episodes 2000 -o slates.hdf5; then --dataset slates.hdf5.`,
  );
}
