import { groupWidth } from "./group-width.ts";
import { MomentSum, type Moments } from "./moments.ts";
import type { RecordedFlights } from "./recorded-flights.ts";
import type { Run } from "./window.ts";

export interface StatisticsOptions {
  /** Observation groups; all. */
  readonly groups?: readonly string[];
  /** Episodes, by number; all. */
  readonly episodes?: readonly number[] | Int32Array;
  /** Per step; 0.99. */
  readonly discount?: number;
}

export interface FlightStatistics {
  readonly steps: number;
  /** Over the observations that steps start from; an episode's last observation is not one. */
  readonly groups: Readonly<Record<string, Moments>>;
  readonly actions: Moments;
  /** Absent where no rewards are recorded, as are the returns. */
  readonly rewards?: Moments;
  readonly returns?: ReturnStatistics;
}

export interface ReturnStatistics {
  /** Undiscounted, by episode. */
  readonly mean: number;
  readonly best: number;
  readonly worst: number;
  /** Discounted, of whole episodes, from their first step. */
  readonly meanDiscounted: number;
  /** Discounted, from any step to its episode's end: what a value can be at most and at least. */
  readonly largestDiscounted: number;
  readonly smallestDiscounted: number;
}

const PIECE_BYTES = 1 << 20;

/** Goes once through the chosen episodes, a megabyte at a time. @throws DatasetError, also for NaN */
export function flightStatistics(
  flights: RecordedFlights,
  options: StatisticsOptions = {},
): FlightStatistics {
  const { groups = Object.keys(flights.spec.groups), discount = 0.99 } = options;
  const episodes = options.episodes ?? Int32Array.from(flights.episodes.lengths.keys());
  const moments = (array: string, width: number) => momentsOf(flights, array, { width, episodes });
  const steps = [...episodes].reduce((sum, e) => sum + (flights.episodes.lengths[e] ?? 0), 0);
  return {
    steps,
    groups: Object.fromEntries(
      groups.map((group) => [group, moments(`obs/${group}`, groupWidth(flights, group))]),
    ),
    actions: moments("actions", flights.spec.action.width),
    ...(flights.spec.hasRewards && {
      rewards: moments("rewards", 1),
      returns: returnsOf(flights, episodes, discount),
    }),
  };
}

/** Consecutive steps of the episodes, at most `rows` at a time. */
export function* pieces(
  flights: RecordedFlights,
  episodes: Iterable<number>,
  rows: number,
): Generator<Run> {
  for (const episode of episodes) {
    const length = flights.episodes.lengths[episode] ?? 0;
    for (let from = 0; from < length; from += rows) {
      yield { episode, from, count: Math.min(rows, length - from) };
    }
  }
}

/** Rows of this width that are read at a time. */
export function pieceRows(width: number): number {
  return Math.max(1, Math.floor(PIECE_BYTES / (width * Float32Array.BYTES_PER_ELEMENT)));
}

function momentsOf(
  flights: RecordedFlights,
  array: string,
  { width, episodes }: { width: number; episodes: Iterable<number> },
): Moments {
  const sum = new MomentSum(width);
  const rows = pieceRows(width);
  const values = new Float32Array(rows * width);
  let filled = 0;
  for (const run of pieces(flights, episodes, rows)) {
    if (filled + run.count > rows) {
      sum.add(values, filled);
      filled = 0;
    }
    flights.read(array, run, values, filled * width);
    filled += run.count;
  }
  sum.add(values, filled);
  return sum.done();
}

function returnsOf(
  flights: RecordedFlights,
  episodes: Iterable<number>,
  discount: number,
): ReturnStatistics {
  const facts = { count: 0, sum: 0, best: -Infinity, worst: Infinity };
  let discounted = 0;
  let largest = -Infinity;
  let smallest = Infinity;
  for (const episode of episodes) {
    if (!flights.episodes.lengths[episode]) continue;
    const total = flights.episodes.returns[episode]!;
    facts.count += 1;
    facts.sum += total;
    facts.best = Math.max(facts.best, total);
    facts.worst = Math.min(facts.worst, total);
    const seen = backwards(flights, episode, discount);
    discounted += seen.first;
    largest = Math.max(largest, seen.largest);
    smallest = Math.min(smallest, seen.smallest);
  }
  return {
    mean: facts.sum / facts.count,
    best: facts.best,
    worst: facts.worst,
    meanDiscounted: discounted / facts.count,
    largestDiscounted: largest,
    smallestDiscounted: smallest,
  };
}

const REWARDS = 65_536;
const rewards = new Float64Array(REWARDS);

/** Discounted returns of an episode's steps, from the last to the first. */
export function backwards(flights: RecordedFlights, episode: number, discount: number) {
  let value = 0;
  let largest = -Infinity;
  let smallest = Infinity;
  for (let end = flights.episodes.lengths[episode]!; end > 0; end -= REWARDS) {
    const from = Math.max(0, end - REWARDS);
    flights.read("rewards", { episode, from, count: end - from }, rewards, 0);
    for (let i = end - from - 1; i >= 0; i -= 1) {
      value = rewards[i]! + discount * value;
      if (value > largest) largest = value;
      if (value < smallest) smallest = value;
    }
  }
  return { first: value, largest, smallest };
}
