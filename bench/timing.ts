/** Wall time of something done again and again. */

export interface Patience {
  /** Repetitions before the clock counts: compilers and caches settle. */
  readonly warmUp: number;
  /** Ends after so many seconds of measuring … */
  readonly seconds: number;
  /** … but not before so many repetitions … */
  readonly least?: number;
  /** … and never after more than these. */
  readonly most?: number;
}

/** Seconds of each repetition, in the order they were done. */
export async function timed(
  action: () => Promise<unknown>,
  { warmUp, seconds, least = 5, most = 100_000 }: Patience,
): Promise<readonly number[]> {
  for (let i = 0; i < warmUp; i++) await action();
  const durations: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (durations.length < most && (durations.length < least || performance.now() < end)) {
    const start = performance.now();
    await action();
    durations.push((performance.now() - start) / 1000);
  }
  return durations;
}

/**
 * Seconds of several things done in turns, so that what else the machine does falls on all of them alike: `each` times
 * one after the other, in `rounds`, of which the first `warmUp` don't count.
 */
export async function inTurns<K extends string>(
  sides: Readonly<Record<K, () => Promise<unknown>>>,
  { rounds, each, warmUp }: { rounds: number; each: number; warmUp: number },
): Promise<Record<K, number[]>> {
  const names = Object.keys(sides) as K[];
  const taken = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    K,
    number[]
  >;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const durations = await timed(sides[name], {
        warmUp: 0,
        seconds: 0,
        least: each,
        most: each,
      });
      if (round >= warmUp) taken[name].push(...durations);
    }
  }
  return taken;
}

/** The nearest of the values; `share` from 0 to 1. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? upper)) / 2;
}
