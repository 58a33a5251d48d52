import { DatasetError } from "./dataset-error.ts";
import { groupWidth } from "./group-width.ts";
import type { RecordedFlights } from "./recorded-flights.ts";

export interface WholeEpisodesOptions {
  /** Observation groups, side by side. */
  readonly groups: readonly string[];
  /** By number. */
  readonly episodes: ArrayLike<number>;
  /** Bytes that they may take. */
  readonly memoryBytes: number;
}

/** One episode's place in the arrays. */
export interface EpisodePlace {
  /** Rows of its first observation and of its first action. */
  readonly observation: number;
  readonly step: number;
  /** Actions. */
  readonly steps: number;
  /** Observations: one more than actions, where the last one was recorded. */
  readonly observed: number;
  readonly terminated: boolean;
}

/** Episodes in memory with all that a learner of windows looks at; rows of one follow each other. */
export interface WholeEpisodes {
  readonly places: readonly EpisodePlace[];
  /** Of all groups together. */
  readonly width: number;
  readonly actionWidth: number;
  /** `[rows, width]`. */
  readonly observations: Float32Array;
  /** `[steps, actionWidth]`, `[steps]`. */
  readonly actions: Float32Array;
  readonly rewards: Float32Array;
}

/** @throws DatasetError `too-little-memory`, `missing-group`, `missing-array` where no rewards are, also for NaN */
export function wholeEpisodes(
  flights: RecordedFlights,
  { groups, episodes, memoryBytes }: WholeEpisodesOptions,
): WholeEpisodes {
  const { spec } = flights;
  const parts = groups.map((name) => ({ name, width: groupWidth(flights, name) }));
  const width = parts.reduce((sum, part) => sum + part.width, 0);
  const actionWidth = spec.action.width;
  const places = placesOf(flights, episodes);
  const last = places.at(-1);
  const rows = last ? last.observation + last.observed : 0;
  const steps = last ? last.step + last.steps : 0;
  checkMemory(flights, 4 * (rows * width + steps * (actionWidth + 1)), memoryBytes);
  const observations = new Float32Array(rows * width);
  const actions = new Float32Array(steps * actionWidth);
  const rewards = new Float32Array(steps);
  for (const [i, place] of places.entries()) {
    const all = { episode: episodes[i]!, from: 0, count: place.steps };
    flights.read("actions", all, actions, place.step * actionWidth);
    flights.read("rewards", all, rewards, place.step);
    let column = 0;
    for (const part of parts) {
      const seen = observationsOf(flights, part, { episode: episodes[i]!, place });
      scatter(seen, part.width, { into: observations, row: place.observation, width, column });
      column += part.width;
    }
  }
  return { places, width, actionWidth, observations, actions, rewards };
}

function placesOf(flights: RecordedFlights, episodes: ArrayLike<number>): EpisodePlace[] {
  const { lengths, observed, endings } = flights.episodes;
  const recorded = flights.spec.successors === "recorded" ? 1 : 0;
  let [observation, step] = [0, 0];
  return Array.from(episodes, (episode) => {
    const steps = lengths[episode]!;
    const place: EpisodePlace = {
      ...{ observation, step, steps, terminated: endings[episode] === "terminated" },
      observed: recorded === 1 ? steps + 1 : Math.min(observed[episode]!, steps + 1),
    };
    observation += place.observed;
    step += steps;
    return place;
  });
}

function observationsOf(
  flights: RecordedFlights,
  { name, width }: { readonly name: string; readonly width: number },
  { episode, place }: { readonly episode: number; readonly place: EpisodePlace },
): Float32Array {
  const seen = new Float32Array(place.observed * width);
  const { steps, observed } = place;
  if (flights.spec.successors !== "recorded") {
    flights.read(`obs/${name}`, { episode, from: 0, count: observed }, seen, 0);
    return seen;
  }
  flights.read(`obs/${name}`, { episode, from: 0, count: steps }, seen, 0);
  flights.read(`next/${name}`, { episode, from: steps - 1, count: 1 }, seen, steps * width);
  return seen;
}

interface Target {
  readonly into: Float32Array;
  readonly row: number;
  readonly width: number;
  readonly column: number;
}

function scatter(from: Float32Array, own: number, { into, row, width, column }: Target): void {
  for (let i = 0; i * own < from.length; i += 1) {
    into.set(from.subarray(i * own, (i + 1) * own), (row + i) * width + column);
  }
}

function checkMemory({ path }: RecordedFlights, bytes: number, most: number): void {
  if (bytes <= most) return;
  const megabytes = (count: number) => `${Math.ceil(count / 2 ** 20)} MB`;
  throw new DatasetError(
    "too-little-memory",
    `${path}: its episodes take ${megabytes(bytes)}, ${megabytes(most)} are allowed; windows are drawn from memory`,
    "Allow more memory (--dataset_memory), or read fewer observation groups.",
  );
}
