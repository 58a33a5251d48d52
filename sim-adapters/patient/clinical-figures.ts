import { targetBis } from "./reward.ts";

/** BIS of one patient, a reading every `period` seconds. */
export interface BisRecord {
  readonly bis: ArrayLike<number>;
  /** s */
  readonly period: number;
}

/** How far readings are from their target, in percent of it (Varvel 1992). */
export interface VarvelFigures {
  /** Median of the errors: bias. Positive: too light. */
  readonly mdpe: number;
  /** Median of their sizes: inaccuracy. */
  readonly mdape: number;
  /** Median distance of the errors from their own median: restlessness. */
  readonly wobble: number;
  /** Percent per hour by which the size of the error grows; negative: it gets better. */
  readonly divergence: number;
}

/** All that is said of one operation. Times in minutes. */
export interface ClinicalFigures extends VarvelFigures {
  /** Share of the readings in 40 to 60. */
  readonly timeInRange: number;
  /** Until BIS is below 55 for the first time; absent: it never is. */
  readonly timeToTarget: number | undefined;
  readonly nadir: number;
  /** Points of BIS times minutes. */
  readonly integratedAbsoluteError: number;
}

/** @param record not empty, and finite */
export function clinicalFigures(record: BisRecord, target = targetBis): ClinicalFigures {
  return {
    timeInRange: timeInRange(record),
    timeToTarget: timeToTarget(record),
    nadir: nadirOf(record),
    integratedAbsoluteError: integratedAbsoluteError(record, target),
    ...varvelFigures(record, target),
  };
}

/** Share of the readings between both, which belong to it. */
export function timeInRange({ bis }: BisRecord, [low, high] = [40, 60] as const): number {
  let inside = 0;
  for (let i = 0; i < bis.length; i++) if (bis[i]! >= low && bis[i]! <= high) inside++;
  return inside / bis.length;
}

/** Minutes from the first reading to the first one below `threshold`. */
export function timeToTarget({ bis, period }: BisRecord, threshold = 55): number | undefined {
  for (let i = 0; i < bis.length; i++) if (bis[i]! < threshold) return (i * period) / 60;
  return undefined;
}

export function nadirOf({ bis }: BisRecord): number {
  let least = Infinity;
  for (let i = 0; i < bis.length; i++) least = Math.min(least, bis[i]!);
  return least;
}

/** Points of BIS times minutes, each reading taken to last for a period. */
export function integratedAbsoluteError({ bis, period }: BisRecord, target = targetBis): number {
  let sum = 0;
  for (let i = 0; i < bis.length; i++) sum += Math.abs(bis[i]! - target);
  return (sum * period) / 60;
}

export function varvelFigures({ bis, period }: BisRecord, target = targetBis): VarvelFigures {
  const errors = Float64Array.from(bis, (value) => (100 * (value - target)) / target);
  const sizes = errors.map(Math.abs);
  const mdpe = median(errors);
  return {
    mdpe,
    mdape: median(sizes),
    wobble: median(errors.map((error) => Math.abs(error - mdpe))),
    divergence: slope(sizes, period / 3600),
  };
}

/** Of an even number of values the mean of both in the middle. */
function median(values: Float64Array): number {
  const sorted = values.slice().sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Of the line of least squares through values that are `distance` apart; 0 of a single one. */
function slope(values: Float64Array, distance: number): number {
  const middle = (values.length - 1) / 2;
  let [along, square] = [0, 0];
  for (const [i, value] of values.entries()) {
    along += (i - middle) * value;
    square += (i - middle) ** 2;
  }
  return square === 0 ? 0 : along / (square * distance);
}
