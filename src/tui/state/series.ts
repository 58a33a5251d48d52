/** Figures of a stretch of iterations. A stretch of NaN only has `count` 0 and is a gap in the curve. */
export interface Bucket {
  /** Number of the stretch: iterations from `at · stride` up to the next. */
  readonly at: number;
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly count: number;
}

/**
 * A curve in bounded memory: when there are too many buckets their stretches double, and every bucket keeps
 * the smallest and largest figure of its stretch, so that no spike of a long run gets lost.
 */
export interface Series {
  /** Iterations of a bucket; a power of two. */
  readonly stride: number;
  /** In order of iterations; there are none for stretches without a figure. */
  readonly buckets: readonly Bucket[];
}

/** Twice the dots of the widest chart, so that halving never shows. */
export const mostBuckets = 1024;

export const emptySeries: Series = { stride: 1, buckets: [] };

/**
 * The curve with one more figure; one of an iteration that the curve has passed goes to its last bucket.
 * NaN and the infinities make a gap.
 */
export function extend(series: Series, iteration: number, value: number): Series {
  const { stride, buckets } = series;
  const at = Math.max(Math.floor(iteration / stride), buckets.at(-1)?.at ?? 0);
  const added = single(at, value);
  const last = buckets.at(-1);
  if (last?.at === at) return { stride, buckets: [...buckets.slice(0, -1), merge(last, added)] };
  return thin({ stride, buckets: [...buckets, added] });
}

/** The curve up to an iteration, without it. A bucket that straddles it is cut off too. */
export function cutAt(series: Series, iteration: number): Series {
  const { stride, buckets } = series;
  const keep = buckets.filter(({ at }) => (at + 1) * stride <= iteration);
  return keep.length === buckets.length ? series : { stride, buckets: keep };
}

function single(at: number, value: number): Bucket {
  if (Number.isFinite(value)) return { at, min: value, max: value, sum: value, count: 1 };
  return { at, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, sum: 0, count: 0 };
}

function merge(a: Bucket, b: Bucket): Bucket {
  return {
    at: a.at,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    sum: a.sum + b.sum,
    count: a.count + b.count,
  };
}

function thin(series: Series): Series {
  let { stride, buckets } = series;
  while (buckets.length > mostBuckets) {
    const halved: Bucket[] = [];
    for (const bucket of buckets) {
      const moved = { ...bucket, at: Math.floor(bucket.at / 2) };
      const last = halved.at(-1);
      if (last?.at === moved.at) halved[halved.length - 1] = merge(last, moved);
      else halved.push(moved);
    }
    stride *= 2;
    buckets = halved;
  }
  return { stride, buckets };
}
