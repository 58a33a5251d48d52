import type { RecordedFlights } from "../../datasets/recorded-flights.ts";
import type { Windows, WindowsState } from "../../datasets/windows.ts";
import { RunningError } from "../../running/running-error.ts";
import type { Source, Sourced, SourceState } from "../../running/source.ts";

interface WindowFacts {
  readonly sampling: WindowsState;
  /** By what a data set is known again, wherever it lies. */
  readonly flown: { readonly episodes: number; readonly steps: number };
}

/** Windows of recorded flights, drawn at random: the same ones for the same seed. */
export class WindowSource implements Source {
  readonly #flights: RecordedFlights;
  readonly #windows: Windows;
  readonly #updates: number;

  /** @param updates batches of one experience */
  constructor(flights: RecordedFlights, windows: Windows, updates: number) {
    this.#flights = flights;
    this.#windows = windows;
    this.#updates = updates;
  }

  async start(): Promise<void> {}

  async next(): Promise<Sourced> {
    const since = performance.now();
    const experience = this.#windows.draw(this.#updates);
    const seconds = (performance.now() - since) / 1000;
    return { experience, metrics: { "Perf/read_time": seconds }, environmentSteps: 0 };
  }

  async save(): Promise<SourceState> {
    const facts: WindowFacts = { sampling: this.#windows.save(), flown: this.#flown() };
    return { facts, bytes: {} };
  }

  /** @throws RunningError where the flights are not those of the run */
  async load({ facts }: SourceState): Promise<string> {
    const { sampling, flown } = facts as WindowFacts;
    const now = this.#flown();
    if (now.episodes !== flown.episodes || now.steps !== flown.steps) {
      throw new RunningError(
        "other-dataset",
        `${this.#flights.path} holds ${now.episodes} episodes, ${now.steps} steps; the run to go on with learned from ${flown.episodes} episodes, ${flown.steps} steps`,
        "Name the data set of the run, wherever it is now: --dataset FILE; or start a new run without --resume.",
      );
    }
    this.#windows.load(sampling);
    return "the data set where it was";
  }

  async close(): Promise<void> {
    this.#flights.close();
  }

  #flown(): WindowFacts["flown"] {
    const { episodes, steps } = this.#flights;
    return { episodes: episodes.lengths.length, steps };
  }
}
