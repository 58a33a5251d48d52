import type { Arena } from "../inside/arena.ts";

interface DelayOptions {
  /** 1 or more. */
  readonly steps: number;
  readonly width: number;
  readonly arena: Arena;
}

/**
 * Readings that arrive late: what goes in comes out `steps` control steps later. At the start of an
 * episode the first reading is repeated, noise and all, as by a sensor that holds its last value.
 */
export class DelayLine {
  /** `[numEnvs, steps, width]`, for a snapshot. */
  readonly held: Float32Array;
  /** Which of the `steps` places is the oldest, for a snapshot. */
  readonly oldest: Uint32Array;
  readonly #steps: number;
  readonly #width: number;

  constructor(numEnvs: number, { steps, width, arena }: DelayOptions) {
    this.held = arena.float32(numEnvs * steps * width);
    this.oldest = arena.uint32(1);
    this.#steps = steps;
    this.#width = width;
  }

  /** Fills the line of environment `i` with its first reading, at `at` in `rows`. */
  begin(i: number, rows: Float32Array, at: number): void {
    const first = rows.subarray(at, at + this.#width);
    for (let k = 0; k < this.#steps; k++) this.held.set(first, this.#place(i, k));
  }

  /** Swaps the reading at `at` in `rows` for the oldest of environment `i`. */
  pass(i: number, rows: Float32Array, at: number): void {
    const place = this.#place(i, this.oldest[0]!);
    for (let c = 0; c < this.#width; c++) {
      const late = this.held[place + c]!;
      this.held[place + c] = rows[at + c]!;
      rows[at + c] = late;
    }
  }

  /** After `pass` of every environment: the next place is the oldest. */
  advance(): void {
    this.oldest[0] = (this.oldest[0]! + 1) % this.#steps;
  }

  #place(i: number, k: number): number {
    return (i * this.#steps + k) * this.#width;
  }
}
