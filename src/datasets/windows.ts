import { Random, type RandomState } from "../../policies/random.ts";
import type { Arrays, Experience } from "../learning/experience.ts";
import { DatasetError } from "./dataset-error.ts";
import type { EpisodePlace, WholeEpisodes } from "./whole-episodes.ts";

export interface WindowsOptions {
  /** Transitions of a window: it has one observation more. */
  readonly length: number;
  /** Observations that are seen together, the last ones up to now. */
  readonly history: number;
  /** Rewards that are summed up for a value, before what is left is estimated. */
  readonly ahead: number;
  readonly discount: number;
  /** Columns of the observations that are seen; the others are only told apart in `predicted`. */
  readonly seen: number;
  /** `[seen]`: stands for observations before an episode's first. */
  readonly padding: Float32Array;
  /** Columns of the observations that are to be predicted. */
  readonly predicted: readonly number[];
  /** Windows of one batch. */
  readonly batch: number;
  readonly seed: number;
}

/** Where drawing is, as plain JSON. */
export interface WindowsState {
  /** Windows that can be drawn: another number is another data set. */
  readonly windows: number;
  readonly random: RandomState;
}

/**
 * Windows of consecutive steps inside one episode, drawn uniformly with replacement. With L transitions, H
 * observations of history and n rewards ahead an experience of batches of B windows has, each `[batches, B, …]`:
 *
 * - `window/observations` `[H · seen]`: up to the first step, the oldest first
 * - `window/later` `[L + 1, H · seen]`: up to n steps behind each, or to the episode's end
 * - `window/predicted` `[L + 1, predicted]`, of the first step and the L behind it
 * - `window/actions` `[L + 1, actionWidth]`, `window/acted` `[L + 1]`: 0 where the episode was over
 * - `window/rewards` `[L]`
 * - `window/returns` `[L + 1]`: discounted sums of those n rewards, and `window/bootstrap` `[L + 1]`: the weight
 *   of the value of `later`, 0 behind a death
 */
export class Windows {
  readonly #episodes: WholeEpisodes;
  readonly #options: WindowsOptions;
  readonly #random: Random;
  /** Episode and step of each window's beginning. */
  readonly #starts: Int32Array;

  /** @throws DatasetError `no-flights` where no episode is long enough */
  constructor(episodes: WholeEpisodes, options: WindowsOptions) {
    this.#episodes = episodes;
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#starts = startsIn(episodes, options.length);
    if (this.#starts.length > 0) return;
    const longest = episodes.places.reduce((most, { steps }) => Math.max(most, steps), 0);
    throw new DatasetError(
      "no-flights",
      `No episode holds a window of ${options.length} steps: the longest has ${longest}`,
      "Record longer flights, or shorten the windows (algorithm.pre_len).",
    );
  }

  /** How many there are. */
  get count(): number {
    return this.#starts.length / 2;
  }

  /** Arrays belong to the receiver. */
  draw(batches: number): Experience {
    const { batch } = this.#options;
    const chosen = Int32Array.from({ length: batches * batch }, () =>
      Math.floor(this.#random.uniform() * this.count),
    );
    return { steps: batches, numEnvs: batch, arrays: this.#gather(chosen) };
  }

  /** So many windows, evenly spread over all there are, as one batch: the same ones each time. */
  spread(most: number): Experience {
    const size = Math.min(most, this.count);
    const chosen = Int32Array.from({ length: size }, (_, i) => Math.floor((i * this.count) / size));
    return { steps: 1, numEnvs: size, arrays: this.#gather(chosen) };
  }

  save(): WindowsState {
    return { windows: this.count, random: this.#random.save() };
  }

  /** @throws DatasetError for a state of other flights */
  load(state: WindowsState): void {
    if (state.windows !== this.count) {
      throw new DatasetError(
        "other-flights",
        `The saved place is among ${state.windows} windows, these flights have ${this.count}`,
        "Go on with the data set and the windows that the run started with.",
      );
    }
    this.#random.load(state.random);
  }

  #gather(chosen: Int32Array): Arrays {
    const { length, history, seen, predicted } = this.#options;
    const { actionWidth } = this.#episodes;
    const steps = length + 1;
    const of = (width: number) => new Float32Array(chosen.length * width);
    const arrays = {
      "window/observations": of(history * seen),
      "window/later": of(steps * history * seen),
      "window/predicted": of(steps * predicted.length),
      "window/actions": of(steps * actionWidth),
      "window/acted": of(steps),
      "window/rewards": of(length),
      "window/returns": of(steps),
      "window/bootstrap": of(steps),
    };
    for (const [row, window] of chosen.entries()) {
      const place = this.#episodes.places[this.#starts[2 * window]!]!;
      const from = this.#starts[2 * window + 1]!;
      this.#see({ place, at: from }, arrays["window/observations"], row * history * seen);
      for (let i = 0; i < steps; i += 1) {
        this.#step({ place, at: from + i }, arrays, { row, i });
        this.#value({ place, at: from + i }, arrays, row * steps + i);
      }
    }
    return arrays;
  }

  /** The last observations up to one. */
  #see({ place, at }: Moment, into: Float32Array, offset: number): void {
    const { history, seen, padding } = this.#options;
    const { observations, width } = this.#episodes;
    for (let h = 0; h < history; h += 1) {
      const time = at - history + 1 + h;
      const row = (place.observation + time) * width;
      const values = time < 0 ? padding : observations.subarray(row, row + seen);
      into.set(values, offset + h * seen);
    }
  }

  #step(
    { place, at }: Moment,
    arrays: Readonly<Record<string, Float32Array>>,
    { row, i }: { readonly row: number; readonly i: number },
  ): void {
    const { length, predicted } = this.#options;
    const { observations, actions, rewards, width, actionWidth } = this.#episodes;
    const slot = row * (length + 1) + i;
    const seen = (place.observation + at) * width;
    for (const [k, column] of predicted.entries()) {
      arrays["window/predicted"]![slot * predicted.length + k] = observations[seen + column]!;
    }
    const acted = at < place.steps;
    // Behind the last action it is repeated: its weight is 0.
    const step = place.step + Math.min(at, place.steps - 1);
    const action = actions.subarray(step * actionWidth, (step + 1) * actionWidth);
    arrays["window/actions"]!.set(action, slot * actionWidth);
    arrays["window/acted"]![slot] = acted ? 1 : 0;
    if (i < length) arrays["window/rewards"]![row * length + i] = rewards[step]!;
  }

  #value(
    { place, at }: Moment,
    arrays: Readonly<Record<string, Float32Array>>,
    slot: number,
  ): void {
    const { ahead, discount, history, seen } = this.#options;
    const { rewards } = this.#episodes;
    const known = place.terminated ? place.steps : place.observed - 1;
    const end = Math.min(at + ahead, known);
    let sum = 0;
    for (let time = end - 1; time >= at; time -= 1) {
      sum = rewards[place.step + time]! + discount * sum;
    }
    const over = place.terminated && end === place.steps;
    arrays["window/returns"]![slot] = sum;
    arrays["window/bootstrap"]![slot] = over ? 0 : discount ** Math.max(0, end - at);
    const last = Math.min(Math.max(end, at), place.observed - 1);
    this.#see({ place, at: last }, arrays["window/later"]!, slot * history * seen);
  }
}

interface Moment {
  readonly place: EpisodePlace;
  /** Steps since the episode's beginning. */
  readonly at: number;
}

function startsIn({ places }: WholeEpisodes, length: number): Int32Array {
  const starts: number[] = [];
  for (const [episode, { observed }] of places.entries()) {
    for (let at = 0; at + length < observed; at += 1) starts.push(episode, at);
  }
  return Int32Array.from(starts);
}
