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
  for (let row = 0; row < rows; row += 1) {
    const own = shares.subarray(row * components * levels, (row + 1) * components * levels);
    if (levels ** components === count) combineAll(own, shape, { found, row });
    else combineBest(own, shape, { found, row });
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

function combineBest(own: Float64Array, shape: CandidateShape, { found, row }: Into): void {
  const { components, levels, count } = shape;
  let kept: Combination[] = [{ levels: [], logit: 0 }];
  for (let c = 0; c < components; c += 1) {
    const shares = own.subarray(c * levels, (c + 1) * levels);
    const more = kept.flatMap((one) =>
      Array.from(shares, (logit, level) => ({
        levels: [...one.levels, level],
        logit: one.logit + logit,
      })),
    );
    kept = more.length > count ? more.sort(likelier).slice(0, count) : more;
  }
  for (const [i, one] of kept.entries()) {
    found.levels.set(one.levels, (row * count + i) * components);
    found.logits[row * count + i] = one.logit;
  }
}

interface Combination {
  readonly levels: readonly number[];
  readonly logit: number;
}

function likelier(a: Combination, b: Combination): number {
  return b.logit - a.logit;
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
