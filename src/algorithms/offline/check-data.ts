import type { RecordedFlights } from "../../datasets/recorded-flights.ts";
import type { FlightStatistics } from "../../datasets/statistics.ts";
import { RunningError } from "../../running/running-error.ts";

/**
 * Flights that nothing can be learned from, whatever the algorithm: a single episode, a group that never changes.
 *
 * @throws RunningError `one-episode`, `constant-observations`
 */
export function checkData(
  { path, episodes, steps }: RecordedFlights,
  { groups }: Pick<FlightStatistics, "groups">,
  reads: readonly string[],
): void {
  if (episodes.lengths.length < 2) {
    throw new RunningError(
      "one-episode",
      `${path} holds a single episode of ${steps} steps; expected at least two: one flight says nothing of any other start.`,
      "Record more of them (firstsolo record --episodes 100), or mark where episodes end (D4RL's timeouts).",
    );
  }
  for (const group of reads) {
    const { min, max } = groups[group]!;
    if (min.some((least, i) => least !== max[i])) continue;
    const values = `${Array.from(min.slice(0, 4)).join(", ")}${min.length > 4 ? ", …" : ""}`;
    throw new RunningError(
      "constant-observations",
      `The observation group '${group}' never changes in ${path}: it is [${values}] at all ${steps} steps; expected observations that tell one state from another.`,
      `Record the flights again with what the robot sees, or leave the group out: obs_groups.student=[${reads.filter((other) => other !== group).join(",") || "GROUP"}].`,
    );
  }
}
