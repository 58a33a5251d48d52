import { deriveSeed, Random } from "../../../policies/random.ts";
import { createRanker, usualLatentWidth } from "../../../policies/rankers/create-ranker.ts";
import type { RankerLearning } from "../../../policies/rankers/descent.ts";
import { factorise, type LoggedClicks } from "../../../policies/rankers/factorise.ts";
import {
  measureBounds,
  type Reconstruction,
  reconstructionOf,
  type TurnBatches,
} from "../../../policies/rankers/measure.ts";
import type {
  EmbeddingKind,
  Ranker,
  RankerConfig,
  RankerName,
} from "../../../policies/rankers/ranker.ts";
import { catalogueOf } from "../../../sim-adapters/slates/items.ts";
import { itemsOf } from "../../../sim-adapters/slates/items-word.ts";
import type { RecordedFlights } from "../../datasets/recorded-flights.ts";
import { type Compile, eagerly } from "../../engine/compile/program.ts";
import type { Metrics } from "../../metrics/metric-sink.ts";
import { RunError } from "../../runs/run-error.ts";
import { allTurns } from "../offline/slates/recorded-turns.ts";
import { itemsIn, itemsNamed, refuseOtherItems } from "../offline/slates/same-items.ts";
import { compiledDescent, lossesAlone } from "./compiled-descent.ts";
import { batchesOf, type Part, shuffledBatches } from "./turn-batches.ts";

/** Of GeMS's loss. */
export const usualWeights = { klWeight: 1, clickWeight: 0.5, klWarmup: 0 } as const;

export interface RankerOrder {
  readonly ranker: RankerName;
  /** Null: what is usual for this ranker. */
  readonly embeddings: EmbeddingKind | null;
  readonly task: string;
  readonly seed: number;
  readonly epochs: number;
  readonly batch: number;
  /** Null: what is usual. */
  readonly latentWidth: number | null;
  /** GeMS: of the latent's distance to N(0, 1), and of the clicks, in the loss. */
  readonly klWeight: number;
  readonly clickWeight: number;
  /** GeMS: epochs over which that distance's weight grows to what it is; fractions count. */
  readonly klWarmup: number;
}

/** How it is told, and who computes. */
export interface RankerPlace {
  /** Default: operation by operation. */
  readonly compile?: Compile;
  /** Told after each epoch, from 0. */
  readonly onEpoch: (epoch: number, figures: Metrics) => void;
}

export interface TrainedRanker {
  readonly ranker: Ranker;
  /** Of turns that were held out, the last episodes. */
  readonly reconstruction: Reconstruction;
  /** What `train_step` tells, of the same turns; null: it doesn't learn. */
  readonly heldOutLosses: Metrics | null;
  readonly turns: number;
  readonly heldOut: number;
}

/** Of the episodes, how many are held out. */
const heldOutShare = 0.05;
/** Numbers of an embedding where the simulator doesn't say. */
const usualItemWidth = 20;

/**
 * A ranker from logged slates, frozen: its weights, its items' embeddings, and the bounds of its latents.
 *
 * @throws RunError `no-slates`, `other-items`, `no-ideal-embeddings`; PolicyError
 */
export async function trainRanker(
  flights: RecordedFlights,
  order: RankerOrder,
  { compile = eagerly, onEpoch }: RankerPlace,
): Promise<TrainedRanker> {
  const { path, spec } = flights;
  refuseOtherItems([itemsNamed("--env_name", order.task), itemsIn(path, spec.env)]);
  const logged = allTurns(flights);
  const config = configOf(order, logged, flights);
  const items = embeddingsOf(config, logged, flights);
  const { train, heldOut } = partsOf(logged);
  const learning = learningOf(order, train, compile);
  const ranker = createRanker(config, items, learning);
  const random = new Random(deriveSeed(order.seed, "ranker's batches"));
  for (let epoch = 0; epoch < order.epochs; epoch += 1) {
    const figures = await learnEpoch(ranker, shuffledBatches(logged, train, { ...order, random }));
    if (figures === null) break;
    onEpoch(epoch, figures);
  }
  const all: Part = { from: 0, to: logged.starts.at(-1)! };
  await measureBounds(ranker, batched(logged, all));
  const reconstruction = await reconstructionOf(ranker, batched(logged, heldOut));
  const judge = createRanker(config, items, { ...learning, descend: lossesAlone, klWarmup: 0 });
  judge.load(await ranker.save());
  const heldOutLosses = await learnEpoch(judge, batched(logged, heldOut)());
  judge.dispose();
  const counts = { turns: all.to, heldOut: heldOut.to - heldOut.from };
  return { ranker, reconstruction, heldOutLosses, ...counts };
}

function learningOf(
  { klWeight, clickWeight, klWarmup, batch }: RankerOrder,
  { from, to }: Part,
  compile: Compile,
): RankerLearning {
  const steps = Math.max(1, Math.floor((to - from) / batch));
  const warmup = Math.round(klWarmup * steps);
  return { descend: compiledDescent(compile), klWeight, clickWeight, klWarmup: warmup };
}

/** Means over the batches of what the ranker tells; null: it doesn't learn. */
async function learnEpoch(
  ranker: Ranker,
  batches: ReturnType<TurnBatches>,
): Promise<Metrics | null> {
  const sums: Record<string, number> = {};
  let count = 0;
  for (const batch of batches) {
    const figures = await ranker.train_step(batch);
    if (figures === null) return null;
    for (const [name, value] of Object.entries(figures)) sums[name] = (sums[name] ?? 0) + value;
    count += 1;
  }
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / count]));
}

function batched(logged: LoggedClicks, part: Part): TurnBatches {
  return () => batchesOf(logged, part, 1024);
}

function partsOf({ starts }: LoggedClicks): { readonly train: Part; readonly heldOut: Part } {
  const episodes = starts.length - 1;
  const all = starts[episodes]!;
  const kept = Math.floor(episodes * heldOutShare);
  if (kept === 0) return { train: { from: 0, to: all }, heldOut: { from: 0, to: all } };
  const border = starts[episodes - kept]!;
  return { train: { from: 0, to: border }, heldOut: { from: border, to: all } };
}

function configOf(
  { ranker, embeddings, task, seed, latentWidth }: RankerOrder,
  { items, slots }: LoggedClicks,
  { path }: RecordedFlights,
): RankerConfig {
  const kind = embeddings ?? usualEmbeddings(ranker);
  const sizes = { items, slots, itemWidth: usualItemWidth };
  const width = latentWidth ?? usualLatentWidth(ranker, sizes);
  return { ranker, latentWidth: width, ...sizes, embeddings: kind, seed, task, dataset: path };
}

/** Where nobody says. */
export function usualEmbeddings(ranker: RankerName): EmbeddingKind {
  return ranker === "GeMS" ? "scratch" : "mf";
}

function embeddingsOf(
  { embeddings, items, itemWidth: width, seed }: RankerConfig,
  logged: LoggedClicks,
  { spec, path }: RecordedFlights,
): Float32Array | undefined {
  if (embeddings === "scratch") return undefined;
  if (embeddings === "mf") return factorise(logged, { width, seed });
  const key = spec.env && itemsOf(spec.env);
  const ideal = key && catalogueOf(key).embeddings;
  if (ideal?.length === items * width) return ideal;
  throw new RunError(
    "no-ideal-embeddings",
    `${path} does not say which items its simulator shows, of which there are ${items}`,
    "Take embeddings learned from its clicks: --embeddings mf.",
  );
}
