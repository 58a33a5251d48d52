import type { RecordedFlights } from "../../datasets/recorded-flights.ts";
import type { SamplingState } from "../../datasets/sampling.ts";
import type { Transitions } from "../../datasets/transitions.ts";
import { RunningError } from "../../running/running-error.ts";
import type { Source, Sourced, SourceState } from "../../running/source.ts";

/** By what a data set is known again, wherever it lies. */
interface Flown {
  readonly episodes: number;
  readonly steps: number;
  /** Sum of all rewards. */
  readonly rewards: number;
}

interface RecordedFacts {
  readonly sampling: SamplingState;
  readonly flown: Flown;
}

/** Transitions of recorded flights, drawn at random: the same ones for the same seed. */
export class RecordedSource implements Source {
  readonly #flights: RecordedFlights;
  readonly #transitions: Transitions;
  readonly #updates: number;

  /** @param updates batches of one experience */
  constructor(flights: RecordedFlights, transitions: Transitions, updates: number) {
    this.#flights = flights;
    this.#transitions = transitions;
    this.#updates = updates;
  }

  async start(): Promise<void> {}

  async next(): Promise<Sourced> {
    const since = performance.now();
    const experience = this.#transitions.draw(this.#updates);
    const seconds = (performance.now() - since) / 1000;
    return { experience, metrics: { "Perf/read_time": seconds }, environmentSteps: 0 };
  }

  async save(): Promise<SourceState> {
    const sampling = this.#transitions.save();
    const facts: RecordedFacts = { sampling, flown: flownIn(this.#flights) };
    return { facts, bytes: {} };
  }

  /** @throws RunningError where the flights are not those of the run */
  async load({ facts }: SourceState): Promise<string> {
    const { sampling, flown } = facts as RecordedFacts;
    refuseOthers(flown, this.#flights);
    this.#transitions.load(sampling);
    return "the data set where it was";
  }

  async close(): Promise<void> {
    this.#flights.close();
  }
}

function flownIn({ episodes, steps }: RecordedFlights): Flown {
  const rewards = episodes.returns.reduce((sum, one) => sum + one, 0);
  return { episodes: episodes.lengths.length, steps, rewards };
}

function refuseOthers(before: Flown, flights: RecordedFlights): void {
  const now = flownIn(flights);
  const names = ["episodes", "steps", "rewards"] as const;
  if (names.every((name) => before[name] === now[name])) return;
  const text = ({ episodes, steps, rewards }: Flown) =>
    `${episodes} episodes, ${steps} steps, rewards of ${+rewards.toPrecision(9)}`;
  throw new RunningError(
    "other-dataset",
    `${flights.path} holds ${text(now)}; the run to go on with learned from ${text(before)}`,
    "Name the data set of the run, wherever it is now: --dataset FILE; or start a new run without --resume.",
  );
}
