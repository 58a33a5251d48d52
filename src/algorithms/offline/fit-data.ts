import { elementsOf } from "../../../policies/named-array.ts";
import type { EnvSpec } from "../../../protocol/spec.ts";
import type { RecordedFlights } from "../../datasets/recorded-flights.ts";
import type { OfflineSite } from "../../learning/offline/site.ts";
import { RunningError } from "../../running/running-error.ts";

/**
 * Observation groups to learn from: those that were asked for, else `policy`, else all of the data's.
 *
 * @throws RunningError when data or simulator lack one, or differ in a width
 */
export function readsOf(
  { spec: data, path }: RecordedFlights,
  asked: readonly string[] | null,
  spec: EnvSpec | undefined,
): readonly string[] {
  const recorded = Object.keys(data.groups);
  const reads = asked ?? (recorded.includes("policy") ? ["policy"] : recorded);
  for (const group of reads) {
    const width = data.groups[group]?.width;
    if (width === undefined) throw missing(`${path} holds`, group, recorded);
    if (!spec) continue;
    const flown = spec.observations[group];
    if (!flown) throw missing(`The task '${spec.task}' has`, group, Object.keys(spec.observations));
    if (elementsOf(flown.shape) === width) continue;
    throw new RunningError(
      "does-not-fit",
      `The group '${group}' is ${width} numbers wide in ${path}, and ${elementsOf(flown.shape)} in the task '${spec.task}'.`,
      "Evaluate in the task that the flights were recorded in (--task), or name other groups (obs_groups.student).",
    );
  }
  return reads;
}

function missing(who: string, group: string, there: readonly string[]): RunningError {
  return new RunningError(
    "unknown-group",
    `${who} no observation group '${group}', but ${there.join(", ") || "none"}.`,
    `Name groups that are there: obs_groups.student=[${there[0] ?? "policy"}].`,
  );
}

/** Bounds of the actions: the simulator's, else those that the data set says. @throws RunningError */
export function actionOf(
  { spec: { action }, path }: RecordedFlights,
  spec: EnvSpec | undefined,
): OfflineSite["action"] {
  if (spec) {
    const width = elementsOf(spec.action.shape);
    if (width === action.width) return { low: spec.action.low, high: spec.action.high };
    throw new RunningError(
      "does-not-fit",
      `Actions have ${action.width} components in ${path}, and ${width} in the task '${spec.task}'.`,
      "Evaluate in the task that the flights were recorded in (--task).",
    );
  }
  if (action.low && action.high) return { low: action.low, high: action.high };
  throw new RunningError(
    "unbounded-action",
    `${path} does not say between which bounds actions lie.`,
    "Name the task or a simulator (--task, --sim), whose bounds are taken.",
  );
}
