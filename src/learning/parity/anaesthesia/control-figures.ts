/** A closed loop's BIS, a reading every `ts` seconds from time zero on. */
export interface Loop {
  readonly bis: Float64Array;
  /** s */
  readonly ts: number;
}

export type Style = "induction" | "maintenance" | "total";

/** When a lasting disturbance begins and ends, in s. */
export interface StepTimes {
  readonly start: number;
  readonly end: number;
}

/** By name; null: never came. */
export type ControlFigures = Readonly<Record<string, number | null>>;

/** Readings with the first index and the one behind the last. */
interface Stretch extends Loop {
  readonly from: number;
  readonly to: number;
}

/**
 * The figures that python-anesthesia-simulator computes of a loop (after Ionescu 2008), in minutes
 * and points of BIS, with its ways to cut it: `total` leaves out the last reading before the
 * disturbance and begins both stretches behind it one reading late; TTp counts from its start, TTn
 * from the first reading of its stretch.
 */
export function controlFigures(style: Style, loop: Loop, times: StepTimes): ControlFigures {
  const { bis, ts } = loop;
  const [start, end] = [Math.ceil(times.start / ts), Math.ceil(times.end / ts)];
  if (style === "induction") return inductionOf({ ...loop, from: 0, to: bis.length });
  const late = style === "total" ? 1 : 0;
  const higher = { ...loop, from: start + late, to: Math.min(end + late, bis.length) };
  const lower = { ...loop, from: end + late, to: bis.length };
  const disturbed = disturbedOf(higher, lower, times);
  if (style === "maintenance") return disturbed;
  return {
    ...inductionOf({ ...loop, from: 0, to: Math.min(start - 1, bis.length) }),
    ...disturbed,
  };
}

function inductionOf(stretch: Stretch): ControlFigures {
  const nadir = extreme(stretch, Math.min);
  return {
    TT: firstWhere(stretch, (value) => value < 55),
    BIS_NADIR: nadir,
    ST10: settled(stretch, (value) => value > 45 && value < 55),
    ST20: settled(stretch, (value) => value > 40 && value < 60),
    US: nadir === null ? null : Math.max(0, 45 - nadir),
  };
}

function disturbedOf(higher: Stretch, lower: Stretch, { start }: StepTimes): ControlFigures {
  const down = firstWhere(higher, (value) => value < 55);
  const up = firstWhere(lower, (value) => value > 45);
  return {
    TTp: down === null ? null : down - start / 60,
    BIS_NADIRp: extreme(higher, Math.min),
    TTn: up === null ? null : up - (lower.from * lower.ts) / 60,
    BIS_NADIRn: extreme(lower, Math.max),
  };
}

/** min */
function firstWhere({ bis, ts, from, to }: Stretch, holds: (value: number) => boolean) {
  for (let i = from; i < to; i++) if (holds(bis[i]!)) return (i * ts) / 60;
  return null;
}

/** min: from when on it holds to the end. */
function settled({ bis, ts, from, to }: Stretch, holds: (value: number) => boolean) {
  let since = to;
  while (since > from && holds(bis[since - 1]!)) since--;
  return since < to ? (since * ts) / 60 : null;
}

function extreme({ bis, from, to }: Stretch, pick: (a: number, b: number) => number) {
  if (from >= to) return null;
  return bis.subarray(from, to).reduce((a, b) => pick(a, b));
}
