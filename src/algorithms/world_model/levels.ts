/** What an action component may be, ascending; the same number for every component. */
export type Levels = readonly (readonly number[])[];

export interface Bounds {
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** At equal distances from the lower bound to the upper one. */
export function evenLevels({ low, high }: Bounds, count: number): Levels {
  return low.map((least, c) => {
    const step = (high[c]! - least) / (count - 1);
    return Array.from({ length: count }, (_, i) => (i === count - 1 ? high[c]! : least + i * step));
  });
}

/**
 * Where as many of the recorded actions lie below as above in each place, the bounds at the ends; where many are
 * alike, the widest gaps are halved instead.
 *
 * @param actions `[rows, components]`
 */
export function quantileLevels(bounds: Bounds, actions: Float32Array, count: number): Levels {
  const { low, high } = bounds;
  return low.map((least, c) => {
    const column = columnOf(actions, c, low.length).sort();
    const inner = Array.from({ length: count - 2 }, (_, i) => {
      return column[Math.floor(((i + 1) / (count - 1)) * (column.length - 1))] ?? least;
    });
    const within = inner.filter((value) => value > least && value < high[c]!);
    const distinct = [...new Set([least, ...within, high[c]!])].sort((a, b) => a - b);
    while (distinct.length < count) halveWidest(distinct);
    return distinct;
  });
}

function halveWidest(values: number[]): void {
  let widest = 0;
  for (let i = 1; i < values.length - 1; i += 1) {
    if (values[i + 1]! - values[i]! > values[widest + 1]! - values[widest]!) widest = i;
  }
  values.splice(widest + 1, 0, (values[widest]! + values[widest + 1]!) / 2);
}

function columnOf(values: Float32Array, column: number, width: number): Float32Array {
  return Float32Array.from(
    { length: values.length / width },
    (_, i) => values[i * width + column]!,
  );
}

/** Number of the level that is nearest, of each component: `[rows, components]` in and out. */
export function nearestLevels(levels: Levels, actions: Float32Array): Int32Array {
  const width = levels.length;
  return Int32Array.from(actions, (value, i) => nearestIn(levels[i % width]!, value));
}

function nearestIn(levels: readonly number[], value: number): number {
  let best = 0;
  for (let i = 1; i < levels.length; i += 1) {
    if (Math.abs(levels[i]! - value) < Math.abs(levels[best]! - value)) best = i;
  }
  return best;
}

/** Actions of level numbers: `[rows, components]` in and out. */
export function actionsOf(levels: Levels, chosen: Int32Array): Float32Array {
  const width = levels.length;
  return Float32Array.from(chosen, (level, i) => levels[i % width]![level]!);
}

/** To ±1 between the bounds, held within: `[rows, components]`, a fresh array. */
export function toUnit({ low, high }: Bounds, actions: ArrayLike<number>): Float32Array {
  const width = low.length;
  return Float32Array.from(actions, (value, i) => {
    const [least, most] = [low[i % width]!, high[i % width]!];
    return Math.min(1, Math.max(-1, (2 * (value - least)) / (most - least) - 1));
  });
}
