import type { Floats } from "../../learning/planning/search-model.ts";

/** The most likely combinations of levels at some states, and how likely they are. */
export interface Candidates {
  /** `[rows, count, components]`: numbers of levels. */
  readonly levels: Int32Array;
  /** `[rows, count]`: logarithms of their shares. */
  readonly logits: Float64Array;
}

export interface CandidateShape {
  readonly components: number;
  readonly levels: number;
  /** Combinations kept at each state; at most all there are. */
  readonly count: number;
}

/** How many combinations are considered: at most so many. */
export function candidateCount(
  { components, levels }: Omit<CandidateShape, "count">,
  most: number,
): number {
  return Math.min(most, levels ** components);
}

/**
 * Components are independent, so that the best combinations of some are among those of the best combinations of
 * fewer: they are put together one component after the other, and `count` are kept each time. Where all fit, they
 * come in the order of their levels.
 *
 * @param logits `[rows, components · levels]`
 */
export function likeliestActions(logits: Floats, shape: CandidateShape): Candidates {
  const { components, levels, count } = shape;
  const rows = logits.length / (components * levels);
  const shares = logSharesOf(logits, levels);
  const found = {
    levels: new Int32Array(rows * count * components),
    logits: new Float64Array(rows * count),
  };
  const combiner = levels ** components === count ? undefined : new Combiner(shape);
  for (let row = 0; row < rows; row += 1) {
    const own = shares.subarray(row * components * levels, (row + 1) * components * levels);
    if (combiner) combiner.combine(own, { found, row });
    else combineAll(own, shape, { found, row });
  }
  return found;
}

interface Into {
  readonly found: Candidates;
  readonly row: number;
}

function combineAll(own: Float64Array, shape: CandidateShape, { found, row }: Into): void {
  const { components, levels, count } = shape;
  for (let i = 0; i < count; i += 1) {
    let rest = i;
    let logit = 0;
    for (let c = components - 1; c >= 0; c -= 1) {
      const level = rest % levels;
      rest = (rest - level) / levels;
      logit += own[c * levels + level]!;
      found.levels[(row * count + i) * components + c] = level;
    }
    found.logits[row * count + i] = logit;
  }
}

/** Works in the same arrays for every row: a search asks for thousands of rows. */
class Combiner {
  readonly #shape: CandidateShape;
  /** Combinations of the components so far, the likelier first once they are more than are kept. */
  #levels: Int32Array;
  #spare: Int32Array;
  readonly #logits: Float64Array;
  readonly #sums: Float64Array;
  readonly #sorted: Float64Array;

  constructor(shape: CandidateShape) {
    const { components, levels, count } = shape;
    this.#shape = shape;
    this.#levels = new Int32Array(count * components);
    this.#spare = new Int32Array(count * components);
    this.#logits = new Float64Array(count);
    this.#sums = new Float64Array(count * levels);
    this.#sorted = new Float64Array(count * levels);
  }

  combine(own: Float64Array, { found, row }: Into): void {
    const { components, levels, count } = this.#shape;
    let size = 1;
    this.#logits[0] = 0;
    for (let component = 0; component < components; component += 1) {
      const shares = own.subarray(component * levels, (component + 1) * levels);
      size = this.#extend(shares, { size, component });
    }
    found.levels.set(this.#levels.subarray(0, count * components), row * count * components);
    found.logits.set(this.#logits.subarray(0, count), row * count);
  }

  /** Each of `size` combinations with each level of another component; gives how many are kept. */
  #extend(
    shares: Float64Array,
    { size, component }: { readonly size: number; readonly component: number },
  ): number {
    const { components, levels, count } = this.#shape;
    const sums = this.#sums.subarray(0, size * levels);
    for (let k = 0; k < size; k += 1) {
      for (let level = 0; level < levels; level += 1) {
        sums[k * levels + level] = this.#logits[k]! + shares[level]!;
      }
    }
    const chosen = sums.length > count ? this.#likeliest(sums) : sums.keys();
    let kept = 0;
    for (const i of chosen) {
      const from = Math.floor(i / levels) * components;
      for (let c = 0; c < component; c += 1) {
        this.#spare[kept * components + c] = this.#levels[from + c]!;
      }
      this.#spare[kept * components + component] = i % levels;
      this.#logits[kept] = sums[i]!;
      kept += 1;
    }
    [this.#levels, this.#spare] = [this.#spare, this.#levels];
    return kept;
  }

  /** Places of the `count` largest, the largest first, of equals the earlier. */
  #likeliest(sums: Float64Array): readonly number[] {
    const { count } = this.#shape;
    const sorted = this.#sorted.subarray(0, sums.length);
    sorted.set(sums);
    sorted.sort();
    const least = sorted[sums.length - count]!;
    const [above, equal]: [number[], number[]] = [[], []];
    for (let i = 0; i < sums.length; i += 1) {
      if (sums[i]! > least) above.push(i);
      else if (sums[i] === least) equal.push(i);
    }
    const chosen = above.concat(equal.slice(0, count - above.length));
    return chosen.sort((a, b) => sums[b]! - sums[a]! || a - b);
  }
}

/** Of each component's levels: logarithms of their shares. */
function logSharesOf(logits: Floats, count: number): Float64Array {
  const shares = Float64Array.from(logits);
  for (let from = 0; from < shares.length; from += count) {
    const own = shares.subarray(from, from + count);
    const most = own.reduce((a, b) => Math.max(a, b));
    const sum = Math.log(own.reduce((total, one) => total + Math.exp(one - most), 0)) + most;
    for (let i = 0; i < count; i += 1) own[i]! -= sum;
  }
  return shares;
}
