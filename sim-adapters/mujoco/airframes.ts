import type { Arena } from "../inside/arena.ts";
import { Streams } from "../inside/streams.ts";
import { type Bodies, gravity, type Rows } from "./bodies.ts";
import { quantities, readingsWidth } from "./readings.ts";
import type { QuadcopterSettings } from "./settings.ts";

/** Numbers in an action: thrust, then moments about x, y, z. */
export const actionWidth = 4;

/** `[numEnvs]` in N and `[numEnvs, 3]` in N·m, in the body frame. */
export interface Wrench {
  readonly thrust: Float64Array;
  readonly moment: Float64Array;
}

type Range = readonly [number, number];

/** Between which ratios to the nominal airframe each environment's is drawn. */
export interface AirframeRanges {
  readonly mass: Range;
  readonly thrustToWeight: Range;
  readonly momentScale: Range;
}

/**
 * What an action does to the body of each environment: the nominal quadcopter, or with `ranges` one
 * drawn anew, uniformly, for every episode. Full thrust is drawn thrust-to-weight × drawn mass ×
 * g, moments are drawn scale × action, inertia follows the mass.
 *
 * So the motion shows two numbers, not three: thrust-to-weight, from accelerations along the
 * thrust, and moment scale over mass, from angular ones. Mass and moment scale by themselves
 * cannot be told apart by flying, nor do they matter to a controller.
 */
export class Airframes {
  readonly streams: Streams;
  /** Ratios to nominal, `[numEnvs]` each. */
  readonly #mass: Float64Array;
  readonly #thrustToWeight: Float64Array;
  readonly #momentScale: Float64Array;
  readonly #ranges: AirframeRanges | undefined;
  /** N for full throttle, N·m for a full moment, of the nominal airframe. */
  readonly #fullThrust: number;
  readonly #fullMoment: number;

  constructor(
    settings: QuadcopterSettings,
    { massRatios }: Bodies,
    { ranges, arena }: { readonly ranges: AirframeRanges | undefined; readonly arena: Arena },
  ) {
    const numEnvs = massRatios.length;
    this.streams = new Streams(numEnvs, 3, { arena });
    this.#mass = massRatios;
    this.#thrustToWeight = arena.float64(numEnvs).fill(1);
    this.#momentScale = arena.float64(numEnvs).fill(1);
    this.#ranges = ranges;
    this.#fullThrust = settings.thrust_to_weight * settings["robot.mass"] * gravity;
    this.#fullMoment = settings.moment_scale;
  }

  /** What a snapshot must hold: nothing where all are nominal. */
  get state(): readonly (Float64Array | Uint32Array)[] {
    if (this.#ranges === undefined) return [];
    return [this.#mass, this.#thrustToWeight, this.#momentScale, this.streams.state];
  }

  /** A new airframe for the episode that begins in environment `i`. */
  draw(i: number): void {
    if (this.#ranges === undefined) return;
    const { mass, thrustToWeight, momentScale } = this.#ranges;
    this.#mass[i] = this.#within(mass, i);
    this.#thrustToWeight[i] = this.#within(thrustToWeight, i);
    this.#momentScale[i] = this.#within(momentScale, i);
  }

  /**
   * @param actions `[numEnvs, 4]`, clamped here.
   * @param readings takes the clamped actions as last ones.
   * @param thrust `[numEnvs]`, N.
   * @param moment `[numEnvs, 3]`, N·m.
   * Of environments `first` … `end - 1`.
   */
  steer(
    actions: Float32Array,
    readings: Float64Array,
    { thrust, moment, first, end }: Wrench & Rows,
  ): void {
    const offset = quantities.last_action.offset;
    for (let i = first; i < end; i++) {
      const from = actionWidth * i;
      const to = readingsWidth * i + offset;
      for (let k = 0; k < actionWidth; k++) readings[to + k] = clamp(actions[from + k]!);
      const fullThrust = this.#fullThrust * this.#mass[i]! * this.#thrustToWeight[i]!;
      const fullMoment = this.#fullMoment * this.#momentScale[i]!;
      thrust[i] = (fullThrust * (readings[to]! + 1)) / 2;
      moment[3 * i] = fullMoment * readings[to + 1]!;
      moment[3 * i + 1] = fullMoment * readings[to + 2]!;
      moment[3 * i + 2] = fullMoment * readings[to + 3]!;
    }
  }

  /** Fills the ratios of row `i` of `readings`. */
  sense(i: number, readings: Float64Array): void {
    const at = readingsWidth * i + quantities.ratio.offset;
    readings[at] = this.#mass[i]!;
    readings[at + 1] = this.#thrustToWeight[i]!;
    readings[at + 2] = this.#momentScale[i]!;
  }

  #within([low, high]: Range, i: number): number {
    return low + (high - low) * this.streams.uniform(i);
  }
}

function clamp(action: number): number {
  return Math.max(-1, Math.min(1, action));
}
