import type { Numbers } from "./recorded-flights.ts";

/** Per component, over all rows; float64. `std` is the population's (NumPy's default). */
export interface Moments {
  readonly count: number;
  readonly mean: Float64Array;
  readonly std: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
}

/**
 * Mean and spread of rows that come piece by piece: two passes over a piece, then merged with what came
 * before (Chan, Golub and LeVeque 1979), so that a large mean does not eat a small spread.
 */
export class MomentSum {
  readonly #width: number;
  readonly #mean: Float64Array;
  readonly #squares: Float64Array;
  readonly #min: Float64Array;
  readonly #max: Float64Array;
  #count = 0;

  constructor(width: number) {
    this.#width = width;
    this.#mean = new Float64Array(width);
    this.#squares = new Float64Array(width);
    this.#min = new Float64Array(width).fill(Number.POSITIVE_INFINITY);
    this.#max = new Float64Array(width).fill(Number.NEGATIVE_INFINITY);
  }

  /** @param values `[count, width]`, row-major */
  add(values: Numbers, count: number): void {
    if (count === 0) return;
    for (let k = 0; k < this.#width; k += 1) this.#addComponent(values, count, k);
    this.#count += count;
  }

  #addComponent(values: Numbers, count: number, k: number): void {
    const width = this.#width;
    const end = count * width;
    let sum = 0;
    let low = this.#min[k]!;
    let high = this.#max[k]!;
    for (let i = k; i < end; i += width) {
      const value = values[i]!;
      sum += value;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    const mean = sum / count;
    let squares = 0;
    for (let i = k; i < end; i += width) squares += (values[i]! - mean) ** 2;
    const total = this.#count + count;
    const distance = mean - this.#mean[k]!;
    this.#squares[k]! += squares + (distance ** 2 * this.#count * count) / total;
    this.#mean[k]! += (distance * count) / total;
    this.#min[k] = low;
    this.#max[k] = high;
  }

  /** NaN everywhere where no row came. */
  done(): Moments {
    const count = this.#count;
    const empty = count === 0 ? Number.NaN : 0;
    return {
      count,
      mean: this.#mean.map((mean) => mean + empty),
      std: this.#squares.map((squares) => Math.sqrt(squares / count)),
      min: this.#min.map((min) => min + empty),
      max: this.#max.map((max) => max + empty),
    };
  }
}
