import { Random, type RandomState } from "../../policies/random.ts";
import { DatasetError } from "./dataset-error.ts";
import type { RecordedFlights } from "./recorded-flights.ts";
import { Strips } from "./strips.ts";
import { extraRows, lacksEnd, repeatsEnd, rowBytes, StepWindow, type Wanted } from "./window.ts";

/** Where a sampler is, as plain JSON. */
export interface SamplingState {
  /** Steps that can be drawn: another number is another data set. */
  readonly drawable: number;
  readonly epoch: number;
  /** The generator before the strips were shuffled, before the window was, and now. */
  readonly random: {
    readonly epoch: RandomState;
    readonly window: RandomState;
    readonly now: RandomState;
  };
  /** The first strip of the window, in shuffled order, and how many of its steps were drawn. */
  readonly strip: number;
  readonly drawn: number;
}

export interface SamplingOptions {
  /** Those to draw from, by number; all. */
  readonly episodes?: readonly number[] | Int32Array;
  readonly seed: number;
  /** Bytes for steps in memory. */
  readonly bytes: number;
}

/** Strips of a full window: few enough that reading is quick, enough that a window is well mixed. */
const STRIPS_PER_WINDOW = 64;
const SHORTEST_STRIP = 256;

/**
 * Which steps are drawn. What fits into memory is there once and drawn uniformly with replacement.
 * Of what doesn't, the file is cut into strips; an epoch takes them in shuffled order, as many at a
 * time as fit, shuffles the steps of those and hands each out once: every step is drawn once in an
 * epoch. Same seed and file, same draws; also after `save` and `load`.
 */
export class Sampling {
  readonly window: StepWindow;
  readonly drawable: number;
  /** Steps left out, since what came after them is wanted and was not recorded. */
  readonly leftOut: number;
  /** Deaths whose successor was not recorded: their observation is repeated. */
  readonly repeated: number;
  readonly fits: boolean;
  readonly bytes: number;
  readonly #strips: Strips;
  readonly #rows: number;
  readonly #extra: number;
  readonly #order: Int32Array;
  readonly #random: Random;
  #epoch = 0;
  #epochState: RandomState;
  #windowState: RandomState;
  #firstStrip = 0;
  #endStrip = 0;
  #drawn = 0;

  constructor(flights: RecordedFlights, wanted: Wanted, options: SamplingOptions) {
    const { episodes } = flights;
    const chosen = options.episodes ?? Int32Array.from(episodes.lengths.keys());
    let steps = 0;
    let leftOut = 0;
    let repeated = 0;
    for (const episode of chosen) {
      if (!episodes.lengths[episode]) continue;
      steps += episodes.lengths[episode]!;
      if (lacksEnd(flights, wanted, episode)) leftOut += 1;
      if (repeatsEnd(flights, wanted, episode)) repeated += 1;
    }
    this.leftOut = leftOut;
    this.repeated = repeated;
    this.drawable = steps - leftOut;
    if (this.drawable === 0) throw nothingToDraw(flights, steps);
    this.#extra = extraRows(flights, wanted);
    const cost = rowBytes(flights, wanted);
    const all = steps + this.#extra * chosen.length;
    const most = Math.floor(options.bytes / cost);
    this.fits = all <= most;
    const length = Math.max(SHORTEST_STRIP, Math.floor(most / STRIPS_PER_WINDOW));
    this.#strips = new Strips(episodes.lengths, chosen, this.fits ? steps : length);
    this.#rows = this.fits ? all : most;
    this.#checkStrips(flights, cost);
    this.bytes = this.#rows * cost;
    this.window = new StepWindow(flights, wanted, this.#rows);
    this.#order = Int32Array.from({ length: this.#strips.count }, (_, i) => i);
    this.#random = new Random(options.seed);
    this.#epochState = this.#random.save();
    this.#windowState = this.#epochState;
    this.#begin();
  }

  /** The window's row of the next step to be learned from. */
  next(): number {
    const { window } = this;
    if (this.fits) {
      return window.drawable[Math.floor(this.#random.uniform() * window.count)]!;
    }
    while (this.#drawn === window.count) this.#advance();
    this.#drawn += 1;
    return window.drawable[this.#drawn - 1]!;
  }

  /** Whether the next step will replace the window, and with it all rows that were drawn from it. */
  get isSpent(): boolean {
    return !this.fits && this.#drawn === this.window.count;
  }

  save(): SamplingState {
    return {
      drawable: this.drawable,
      epoch: this.#epoch,
      random: { epoch: this.#epochState, window: this.#windowState, now: this.#random.save() },
      strip: this.#firstStrip,
      drawn: this.#drawn,
    };
  }

  /** @throws DatasetError for a state of other flights */
  load(state: SamplingState): void {
    if (state.drawable !== this.drawable) {
      throw new DatasetError(
        "other-flights",
        `The saved place is in flights with ${state.drawable} steps to draw, these have ${this.drawable}`,
        "Go on with the data set, the share of episodes and the memory that the run started with.",
      );
    }
    this.#epoch = state.epoch;
    this.#epochState = state.random.epoch;
    this.#windowState = state.random.window;
    if (!this.fits) {
      this.#random.load(state.random.epoch);
      this.#shuffleStrips();
      this.#firstStrip = state.strip;
      this.#random.load(state.random.window);
      this.#fillWindow();
      this.#drawn = state.drawn;
    }
    this.#random.load(state.random.now);
  }

  #begin(): void {
    this.#epochState = this.#random.save();
    if (!this.fits) this.#shuffleStrips();
    this.#firstStrip = 0;
    this.#fillWindow();
  }

  #advance(): void {
    if (this.#endStrip < this.#strips.count) {
      this.#firstStrip = this.#endStrip;
      this.#fillWindow();
      return;
    }
    this.#epoch += 1;
    this.#begin();
  }

  #shuffleStrips(): void {
    for (let i = 0; i < this.#order.length; i += 1) this.#order[i] = i;
    this.#random.shuffle(this.#order, this.#order.length);
  }

  /** Takes strips from the first on while they fit. */
  #fillWindow(): void {
    this.#windowState = this.#random.save();
    let rows = 0;
    let end = this.#firstStrip;
    for (; end < this.#strips.count; end += 1) {
      const more = this.#rowsOf(this.#order[end]!);
      if (rows + more > this.#rows) break;
      rows += more;
    }
    this.#endStrip = end;
    const taken = [...this.#order.subarray(this.#firstStrip, end)].sort((a, b) => a - b);
    const strips = this.#strips;
    this.window.load(
      (function* () {
        for (const strip of taken) yield* strips.runs(strip);
      })(),
    );
    this.#drawn = 0;
    if (!this.fits) this.#random.shuffle(this.window.drawable, this.window.count);
  }

  #rowsOf(strip: number): number {
    const steps = Math.min(this.#strips.length, this.#strips.steps - strip * this.#strips.length);
    return this.#extra === 0 ? steps : steps + this.#strips.pieces(strip);
  }

  #checkStrips(flights: RecordedFlights, cost: number): void {
    if (this.fits) return;
    for (let strip = 0; strip < this.#strips.count; strip += 1) {
      if (this.#rowsOf(strip) <= this.#rows) continue;
      throw new DatasetError(
        "too-little-memory",
        `${flights.path}: ${this.#rows} steps of ${cost} bytes fit into memory, ${this.#rowsOf(strip)} are needed to shuffle`,
        "Allow more memory (--dataset_memory).",
      );
    }
  }
}

function nothingToDraw({ path }: RecordedFlights, steps: number): DatasetError {
  return new DatasetError(
    "no-flights",
    `${path} has no step to learn from: ${steps} in the chosen episodes, and of none is known what came after it`,
    "Record longer flights, or choose more episodes.",
  );
}
