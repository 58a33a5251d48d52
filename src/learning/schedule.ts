export type ScheduleName = "constant" | "cosine" | "exponential";

export const scheduleNames: readonly ScheduleName[] = ["constant", "cosine", "exponential"];

/**
 * A factor that goes from 1 at the start of a run to `last` at its end: along half a cosine
 * (Loshchilov and Hutter, SGDR, equation 5, one cycle), or by the same ratio in every iteration.
 *
 * @param progress share of the planned iterations that have been flown, 0 to 1
 */
export function scheduleFactor(name: ScheduleName, progress: number, last: number): number {
  const share = Math.min(1, Math.max(0, progress));
  switch (name) {
    case "constant":
      return 1;
    case "cosine":
      return last + ((1 - last) * (1 + Math.cos(Math.PI * share))) / 2;
    case "exponential":
      return last ** share;
  }
}
