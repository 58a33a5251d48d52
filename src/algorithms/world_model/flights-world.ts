import { deriveSeed, Random } from "../../../policies/random.ts";
import type { EnvSpec } from "../../../protocol/spec.ts";
import type { RecordedFlights } from "../../datasets/recorded-flights.ts";
import { flightStatistics } from "../../datasets/statistics.ts";
import { type WholeEpisodes, wholeEpisodes } from "../../datasets/whole-episodes.ts";
import { Windows, type WindowsOptions } from "../../datasets/windows.ts";
import { RunningError } from "../../running/running-error.ts";
import { actionOf, readsOf } from "../offline/fit-data.ts";
import { withDataset } from "../offline/with-dataset.ts";
import type { WorldModelConfig } from "./keys.ts";
import type { WorldFacts } from "./world-facts.ts";
import { type WorldOfFlights, worldOf } from "./world-of-flights.ts";

/** Recorded flights as a model of the world learns from them, and is measured on others of them. */
export interface FlightsWorld {
  readonly flights: RecordedFlights;
  readonly facts: WorldFacts;
  /** Numbers of the episodes. */
  readonly learned: Int32Array;
  readonly held: Int32Array;
  readonly windows: Windows;
  readonly heldWindows: Windows;
  /** Batches that make one epoch. */
  readonly epoch: number;
  /** Mean |reading − truth| of what heads predict, where the truth was recorded beside it (`NAME_true`). */
  readonly floors: Readonly<Record<string, number>>;
}

export interface OpenWorldOptions {
  /** The simulator's, where one flies. */
  readonly spec?: EnvSpec | undefined;
  readonly say: (line: string) => void;
}

/**
 * What `use` makes of the flights, which stay open for it and are its to close; closed where it throws.
 * @throws DatasetError, RunningError, LearningError where they don't fit
 */
export function withWorld<T>(
  config: WorldModelConfig,
  options: OpenWorldOptions,
  use: (world: FlightsWorld) => T | Promise<T>,
): Promise<T> {
  return withDataset(config, (flights) => use(worldIn(flights, config, options)));
}

function worldIn(
  flights: RecordedFlights,
  config: WorldModelConfig,
  { spec, say }: OpenWorldOptions,
): FlightsWorld {
  for (const remark of flights.remarks) say(`${config.dataset}: ${remark}`);
  const { learned, held } = heldOut(flights, config);
  const reads = readsOf(flights, config.obs_groups.student, spec);
  const { actions } = flightStatistics(flights, { groups: [] });
  const { remark, ...bounds } = actionOf(flights, spec, actions);
  if (remark) say(remark);
  const options = { reads, bounds, settings: config.algorithm, episodes: learned };
  const world = worldOf(flights, options);
  const windows = windowsOf(flights, learned, { world, config });
  const heldWindows = windowsOf(flights, held, { world, config });
  const epoch = Math.max(1, Math.round(windows.count / config.algorithm.batch_size));
  const floors = world.floorsIn(held);
  return { flights, facts: world.facts, learned, held, windows, heldWindows, epoch, floors };
}

interface Split {
  readonly learned: Int32Array;
  readonly held: Int32Array;
}

/** Some whole episodes are only measured on: the same ones for the same seed. */
function heldOut({ episodes, path }: RecordedFlights, config: WorldModelConfig): Split {
  const count = episodes.lengths.length;
  const { validation_share: share } = config.algorithm;
  const most = Math.min(count - 1, Math.max(1, Math.round(share * count)));
  if (count < 2) {
    throw new RunningError(
      "too-few-episodes",
      `${path} holds ${count} episode${count === 1 ? "" : "s"}; expected 2 or more, as some are only measured on`,
      "Record more flights.",
    );
  }
  const random = new Random(deriveSeed(config.seed, "validation"));
  const order = Int32Array.from({ length: count }, (_, episode) => episode);
  random.shuffle(order);
  return { learned: order.slice(most).sort(), held: order.slice(0, most).sort() };
}

function windowsOf(
  flights: RecordedFlights,
  chosen: Int32Array,
  { world, config }: { readonly world: WorldOfFlights; readonly config: WorldModelConfig },
): Windows {
  const { facts, groups } = world;
  const { pre_len, history, td_steps, discount, batch_size } = config.algorithm;
  const memoryBytes = config.dataset_memory * 2 ** 20 * 0.75;
  const episodes: WholeEpisodes = wholeEpisodes(flights, { groups, episodes: chosen, memoryBytes });
  const options: WindowsOptions = {
    ...{ length: pre_len, history, ahead: td_steps, discount, batch: batch_size },
    seen: facts.observations.mean.length,
    padding: Float32Array.from(facts.observations.mean),
    predicted: facts.heads.flatMap(({ columns }) => columns),
    seed: deriveSeed(config.seed, "windows"),
  };
  return new Windows(episodes, options);
}
