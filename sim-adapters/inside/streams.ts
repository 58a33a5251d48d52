import { Arena } from "./arena.ts";

/** Words of state per stream. */
const words = 4;

/**
 * One random stream per environment, in one array that can be saved: sfc32 (Doty-Humphrey,
 * PractRand), started from (seed, index, purpose) themselves, so that no two streams can coincide
 * by a collision and environment i's does not depend on how many there are.
 */
export class Streams {
  /** `[count, 4]` */
  readonly state: Uint32Array;
  readonly #purpose: number;

  /** `purpose` tells streams of the same environment apart. */
  constructor(count: number, purpose: number, { arena = new Arena() }: { arena?: Arena } = {}) {
    this.state = arena.uint32(count * words);
    this.#purpose = purpose;
  }

  seed(seed: number): void {
    const { state } = this;
    for (let i = 0; i * words < state.length; i++) {
      state.set([seed, i, this.#purpose, 1], i * words);
      // The generator's own recipe: the first rounds only mix the seed.
      for (let round = 0; round < 15; round++) this.uniform(i);
    }
  }

  /** Uniform in [0, 1), 32 bits, from stream `i`. */
  uniform(i: number): number {
    const { state } = this;
    const at = i * words;
    const b = state[at + 1]!;
    const c = state[at + 2]!;
    const drawn = (state[at]! + b + state[at + 3]!) >>> 0;
    state[at + 3]!++;
    state[at] = b ^ (b >>> 9);
    state[at + 1] = c + (c << 3);
    state[at + 2] = ((c << 21) | (c >>> 11)) + drawn;
    return drawn / 0x1_0000_0000;
  }

  /**
   * Fills `out` with standard normal numbers from stream `i` (Box and Muller, both of each pair).
   */
  normals(i: number, out: Float64Array): void {
    for (let k = 0; k < out.length; k += 2) {
      // 1 - u is never 0.
      const radius = Math.sqrt(-2 * Math.log(1 - this.uniform(i)));
      const angle = 2 * Math.PI * this.uniform(i);
      out[k] = radius * Math.cos(angle);
      if (k + 1 < out.length) out[k + 1] = radius * Math.sin(angle);
    }
  }
}
