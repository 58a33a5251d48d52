/** State of a generator: four unsigned 32-bit words. */
export type RandomState = readonly [number, number, number, number];

/**
 * A seeded generator whose state can be saved: xoshiro128** (Blackman and Vigna), seeded through
 * splitmix32. Not for secrets.
 */
export class Random {
  #s: Uint32Array;

  constructor(seed: number) {
    let z = seed >>> 0;
    this.#s = Uint32Array.from({ length: 4 }, () => {
      z = (z + 0x9e3779b9) >>> 0;
      let x = z ^ (z >>> 16);
      x = Math.imul(x, 0x21f0aaad);
      x ^= x >>> 15;
      x = Math.imul(x, 0x735a2d97);
      return (x ^ (x >>> 15)) >>> 0;
    });
  }

  /** Uniform in [0, 1), 32 bits. */
  uniform = (): number => {
    const s = this.#s;
    const m = Math.imul(s[1]!, 5);
    const result = Math.imul((m << 7) | (m >>> 25), 9) >>> 0;
    const t = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = (s[3]! << 11) | (s[3]! >>> 21);
    return result / 0x1_0000_0000;
  };

  /** Standard normal (Box and Muller, one of the pair: so that no spare value is state). */
  normal = (): number => {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  };

  /** Puts the first `count` values into random order, where they are (Fisher and Yates). */
  shuffle(values: Int32Array, count: number = values.length): void {
    for (let i = count - 1; i > 0; i -= 1) {
      const j = Math.floor(this.uniform() * (i + 1));
      const kept = values[i]!;
      values[i] = values[j]!;
      values[j] = kept;
    }
  }

  save(): RandomState {
    const s = this.#s;
    return [s[0]!, s[1]!, s[2]!, s[3]!];
  }

  load(state: RandomState): void {
    this.#s = Uint32Array.from(state);
  }
}

/** A seed for one purpose, so that drawing more for one never shifts another. */
export function deriveSeed(seed: number, purpose: string): number {
  let hash = 0x811c9dc5 ^ (seed >>> 0);
  for (let i = 0; i < purpose.length; i += 1) {
    hash = Math.imul(hash ^ purpose.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}
