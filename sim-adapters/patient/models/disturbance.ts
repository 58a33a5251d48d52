import { PatientError } from "../patient-error.ts";

/** What surgery adds to both signals: `[seconds, BIS, mmHg]`, ascending in time, linear in between. */
export type Profile = readonly (readonly [seconds: number, bis: number, pressure: number])[];

const inSeconds = (rows: Profile): Profile =>
  rows.map(([minutes, bis, pressure]) => [60 * minutes, bis, pressure]);

/** An operation of an hour: intubation, incision, stages of surgery, skin closure (Struys 2004). */
export const surgery: Profile = inSeconds([
  [0, 0, 0],
  [9.9, 0, 0],
  [10, 20, 10],
  [12, 20, 10],
  [13, 0, 0],
  [19.9, 0, 0],
  [20.2, 20, 10],
  [21, 20, 10],
  [21.5, 0, 0],
  [26, -20, -10],
  [27, 20, 10],
  [28, 10, 7],
  [36, 10, 7],
  [37, 30, 15],
  [37.5, 30, 15],
  [38, 10, 5],
  [41, 10, 5],
  [41.5, 30, 10],
  [42, 30, 10],
  [43, 10, 5],
  [47, 10, 5],
  [47.5, 30, 10],
  [50, 30, 8],
  [51, 10, 5],
  [56, 10, 5],
  [56.5, 0, 0],
]);

/** One incision that fades: the package's `simple` profile. */
export const incision: Profile = inSeconds([
  [19.9, 0, 0],
  [20, 20, 5],
  [23, 20, 10],
  [24, 15, 10],
  [26, 12.5, 6],
  [30, 10.5, 4],
  [37, 10, 4],
  [40, 4, 2],
  [45, 0.5, 0.1],
  [50, 0, 0],
]);

/** Both signals are higher from `start` on, until just before `end`, in seconds. */
export function step(
  start: number,
  end: number,
  { bis, pressure }: { readonly bis: number; readonly pressure: number },
): Profile {
  return [
    [start, 0, 0],
    [start, bis, pressure],
    [end, bis, pressure],
    [end, 0, 0],
  ];
}

/**
 * A profile at a time: before its first point what that one says, behind its last what the last one
 * says. Of two points at the same time the later one counts from there on.
 */
export class Disturbance {
  readonly #profile: Profile;

  /** @throws PatientError `bad-disturbance` */
  constructor(profile: Profile) {
    checkProfile(profile);
    this.#profile = profile;
  }

  /** Index of the last point that is not later; -1 before the first. */
  #before(seconds: number): number {
    const profile = this.#profile;
    let [low, high] = [-1, profile.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (profile[middle]![0] <= seconds) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** BIS and mmHg. */
  at(seconds: number): readonly [bis: number, pressure: number] {
    const found = new Float64Array(2);
    this.read(seconds, found);
    return [found[0]!, found[1]!];
  }

  /** As `at`, into two numbers of the caller's. */
  read(seconds: number, out: Float64Array): void {
    const profile = this.#profile;
    const index = this.#before(seconds);
    const from = profile[Math.max(index, 0)] ?? nothing;
    const to = profile[index + 1];
    out[0] = from[1];
    out[1] = from[2];
    if (index < 0 || to === undefined) return;
    const share = (seconds - from[0]) / (to[0] - from[0]);
    out[0] += share * (to[1] - from[1]);
    out[1] += share * (to[2] - from[2]);
  }
}

const nothing = [0, 0, 0] as const;

function checkProfile(profile: Profile): void {
  for (const [i, point] of profile.entries()) {
    const earlier = i > 0 && point[0] < profile[i - 1]![0];
    if (point.every(Number.isFinite) && !earlier) continue;
    throw new PatientError(
      "bad-disturbance",
      `point ${i} of the disturbance is [${point}]; expected finite [s, BIS, mmHg] in the order of time`,
      "Give the points in the order of time.",
    );
  }
}
