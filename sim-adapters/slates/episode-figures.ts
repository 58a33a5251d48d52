import type { Audience } from "./audience.ts";

/** What an episode was like, summed up while it runs: an array for each figure. */
export class EpisodeFigures {
  readonly #clicks: Int32Array;
  /** Turns that began with a topic that bored, and that brought no click. */
  readonly #bored: Int32Array;
  readonly #idle: Int32Array;

  constructor(numEnvs: number) {
    this.#clicks = new Int32Array(numEnvs);
    this.#bored = new Int32Array(numEnvs);
    this.#idle = new Int32Array(numEnvs);
  }

  get state(): readonly Int32Array[] {
    return [this.#clicks, this.#bored, this.#idle];
  }

  begin(i: number): void {
    for (const figure of this.state) figure[i] = 0;
  }

  /** A turn has passed for user `i`. */
  note(i: number, clicks: number, bored: boolean): void {
    this.#clicks[i]! += clicks;
    if (bored) this.#bored[i]!++;
    if (clicks === 0) this.#idle[i]!++;
  }

  /**
   * Means over the episodes that ended: clicks, the share of turns in which a topic bored, and the
   * share of turns without a click.
   */
  log(ended: Int32Array, { turns }: Audience): Record<string, number> {
    const mean = (figure: (i: number) => number) =>
      ended.reduce((sum, i) => sum + figure(i), 0) / ended.length;
    return {
      "Metrics/clicks": mean((i) => this.#clicks[i]!),
      "Metrics/bored": mean((i) => this.#bored[i]! / turns[i]!),
      "Metrics/without_click": mean((i) => this.#idle[i]! / turns[i]!),
      "Episode_Termination/time_out": ended.length,
    };
  }
}
