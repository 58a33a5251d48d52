import type { MetricSink, Metrics, RunEvent } from "../../metrics/metric-sink.ts";

type Missed =
  | { readonly iteration: number; readonly metrics: Metrics }
  | { readonly event: RunEvent };

/** What the plain stream was not told while the screen was shown; the oldest is forgotten. */
export class Backlog {
  readonly #rows: number;
  #missed: Missed[] = [];
  #forgotten = 0;

  /** @param rows kept; an iteration takes about 20 lines of a terminal */
  constructor(rows: number) {
    this.#rows = rows;
  }

  row(iteration: number, metrics: Metrics): void {
    this.#add({ iteration, metrics });
  }

  event(event: RunEvent): void {
    this.#add({ event });
  }

  /** Tells it all, and forgets it. Gives how many iterations and events could not be told. */
  replay(plain: MetricSink): number {
    const [missed, forgotten] = [this.#missed, this.#forgotten];
    this.#missed = [];
    this.#forgotten = 0;
    for (const one of missed) {
      if ("event" in one) plain.event(one.event);
      else plain.write(one.iteration, one.metrics);
    }
    return forgotten;
  }

  get forgotten(): number {
    return this.#forgotten;
  }

  #add(missed: Missed): void {
    this.#missed.push(missed);
    if (this.#missed.length <= this.#rows) return;
    this.#missed.shift();
    this.#forgotten += 1;
  }
}
