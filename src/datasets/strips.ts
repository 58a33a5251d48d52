import type { Run } from "./window.ts";

/** Steps of chosen episodes, one after the other, cut into strips of the same length. */
export class Strips {
  readonly steps: number;
  readonly length: number;
  readonly #episodes: Int32Array;
  /** The place of each chosen episode's first step among all of them, and the end. */
  readonly #starts: Float64Array;

  constructor(lengths: Float64Array, episodes: readonly number[] | Int32Array, length: number) {
    this.#episodes = Int32Array.from(episodes);
    this.#starts = new Float64Array(this.#episodes.length + 1);
    for (const [i, episode] of this.#episodes.entries()) {
      this.#starts[i + 1] = this.#starts[i]! + lengths[episode]!;
    }
    this.steps = this.#starts.at(-1) ?? 0;
    this.length = length;
  }

  get count(): number {
    return Math.ceil(this.steps / this.length);
  }

  /** The pieces of episodes that a strip consists of. */
  *runs(strip: number): Generator<Run> {
    const end = Math.min(this.steps, (strip + 1) * this.length);
    let step = strip * this.length;
    for (let i = this.#find(step); step < end; i += 1) {
      const until = Math.min(end, this.#starts[i + 1]!);
      if (until <= step) continue;
      const from = step - this.#starts[i]!;
      yield { episode: this.#episodes[i]!, from, count: until - step };
      step = until;
    }
  }

  /** How many pieces of episodes a strip has. */
  pieces(strip: number): number {
    let count = 0;
    for (const _ of this.runs(strip)) count += 1;
    return count;
  }

  /** The last episode that starts at or before a step. */
  #find(step: number): number {
    let low = 0;
    let high = this.#episodes.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= step) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
