import { targetBis } from "./reward.ts";
import type { Ward } from "./ward.ts";

const whole = ["inRange", "clipped", "awake"] as const;
const real = ["bisNadir", "pressureNadir", "absoluteError"] as const;

/** What an episode was like, summed up while it runs: an array for each figure. */
export class EpisodeFigures {
  /** Control steps with BIS in 40 to 60, with a rate beyond a pump's limit, before BIS was below 55 for the first time. */
  readonly inRange: Int32Array;
  readonly clipped: Int32Array;
  readonly awake: Int32Array;
  /** Least BIS and mmHg, and the sum of |BIS − 50| over control steps. */
  readonly bisNadir: Float64Array;
  readonly pressureNadir: Float64Array;
  readonly absoluteError: Float64Array;
  readonly #period: number;

  constructor(numEnvs: number, period: number) {
    this.inRange = new Int32Array(numEnvs);
    this.clipped = new Int32Array(numEnvs);
    this.awake = new Int32Array(numEnvs);
    this.bisNadir = new Float64Array(numEnvs);
    this.pressureNadir = new Float64Array(numEnvs);
    this.absoluteError = new Float64Array(numEnvs);
    this.#period = period;
  }

  get state(): readonly (Float64Array | Int32Array)[] {
    return [...whole.map((name) => this[name]), ...real.map((name) => this[name])];
  }

  begin(i: number, ward: Ward): void {
    for (const name of whole) this[name][i] = 0;
    this.bisNadir[i] = ward.bis[i]!;
    this.pressureNadir[i] = ward.pressure[i]!;
    this.absoluteError[i] = 0;
  }

  /** A control step has passed for patient `i`. */
  note(i: number, { bis, pressure, ages }: Ward): void {
    const now = bis[i]!;
    if (now >= 40 && now <= 60) this.inRange[i]!++;
    if (now < this.bisNadir[i]!) this.bisNadir[i] = now;
    if (this.bisNadir[i]! >= 55) this.awake[i] = ages[i]!;
    if (pressure[i]! < this.pressureNadir[i]!) this.pressureNadir[i] = pressure[i]!;
    this.absoluteError[i]! += Math.abs(now - targetBis);
  }

  /**
   * Means over the episodes that ended: the share of time with BIS in 40 to 60, the share of steps
   * with an infusion beyond a pump's limits, the least BIS and mmHg, minutes until BIS was below 55
   * for the first time, and the integral of |BIS − 50| in minutes.
   */
  log(ended: Int32Array, { ages }: Ward): Record<string, number> {
    const mean = (figure: (i: number) => number) =>
      ended.reduce((sum, i) => sum + figure(i), 0) / ended.length;
    const minutes = this.#period / 60;
    return {
      "Metrics/time_in_40_60": mean((i) => this.inRange[i]! / ages[i]!),
      "Metrics/infusions_clipped": mean((i) => this.clipped[i]! / ages[i]!),
      "Metrics/bis_nadir": mean((i) => this.bisNadir[i]!),
      "Metrics/map_nadir": mean((i) => this.pressureNadir[i]!),
      "Metrics/minutes_to_bis_55": mean((i) => (this.awake[i]! + 1) * minutes),
      "Metrics/iae_bis_minutes": mean((i) => this.absoluteError[i]! * minutes),
      "Episode_Termination/time_out": ended.length,
    };
  }
}
