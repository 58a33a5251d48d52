import type { RecordedFlights } from "../../datasets/recorded-flights.ts";
import type { SamplingState } from "../../datasets/sampling.ts";
import type { Transitions } from "../../datasets/transitions.ts";
import type { Source, Sourced, SourceState } from "../../running/source.ts";

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
    return { facts: this.#transitions.save(), bytes: {} };
  }

  async load({ facts }: SourceState): Promise<string> {
    this.#transitions.load(facts as SamplingState);
    return "the data set where it was";
  }

  async close(): Promise<void> {
    this.#flights.close();
  }
}
