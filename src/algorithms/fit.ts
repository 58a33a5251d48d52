import { elementsOf } from "../../policies/named-array.ts";
import type { Policy } from "../../policies/policy.ts";
import { nearest } from "../../protocol/nearest.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import { RunningError } from "../running/running-error.ts";

/** Width of observation groups together. @throws RunningError when the simulator lacks one. */
export function groupsWidth(who: string, reads: readonly string[], spec: EnvSpec): number {
  const missing = reads.find((group) => !Object.hasOwn(spec.observations, group));
  if (missing !== undefined) {
    const known = Object.entries(spec.observations).map(
      ([name, { shape }]) => `${name} [${shape}]`,
    );
    throw new RunningError(
      "unknown-group",
      `The ${who} should read the observation group '${missing}'; task '${spec.task}' has ${known.join(", ")}.`,
      `Name groups of that task: agent.obs_groups.${who}=[${proposed(missing, Object.keys(spec.observations))}].`,
    );
  }
  return reads.reduce((sum, group) => sum + elementsOf(spec.observations[group]!.shape), 0);
}

/** What robots' simulators call the group of their sensors. */
const sensors = ["policy", "actor", "state"];
/** Groups of which a robot in the field has nothing are not proposed, unless there is no other. */
const privileged = /critic|privileged|teacher|oracle/i;

function proposed(missing: string, groups: readonly string[]): string {
  const open = groups.filter((group) => !privileged.test(group));
  const usual = sensors.find((group) => open.includes(group));
  const slip = nearest(missing, open);
  return slip ?? usual ?? nearest(missing, open.length > 0 ? open : groups, { within: Infinity })!;
}

/** @throws RunningError when the policy's widths, or the axes of its pictures, are not the simulator's. */
export function checkFit(who: string, policy: Policy, spec: EnvSpec): void {
  const width = groupsWidth("policy", policy.reads, spec);
  for (const [group, shape] of Object.entries(policy.shapes ?? {})) {
    const flown = spec.observations[group]!.shape;
    if (shape.join() !== flown.join()) throw otherPictures(who, group, { shape, flown, spec });
  }
  const actions = elementsOf(spec.action.shape);
  if (policy.observationWidth === width && policy.actionWidth === actions) return;
  throw new RunningError(
    "does-not-fit",
    `${who} reads ${policy.observationWidth} observations and gives ${policy.actionWidth} actions; ` +
      `task '${spec.task}' has ${width} in ${policy.reads.join(" + ")} and takes ${actions}.`,
    "Use a policy trained on this task, or name other groups in agent.obs_groups.",
  );
}

interface Pictures {
  readonly shape: readonly number[];
  readonly flown: readonly number[];
  readonly spec: EnvSpec;
}

function otherPictures(who: string, group: string, { shape, flown, spec }: Pictures): RunningError {
  return new RunningError(
    "does-not-fit",
    `${who} reads pictures of [${shape}] in '${group}'; task '${spec.task}' has [${flown}].`,
    "Give the simulator the settings that it was trained with (env.*), or use a policy trained on this task.",
  );
}

/** The same for a policy that nobody else holds yet: one that doesn't fit is disposed. */
export function checkLoadedFit(who: string, policy: Policy, spec: EnvSpec): void {
  try {
    checkFit(who, policy, spec);
  } catch (error) {
    policy.dispose();
    throw error;
  }
}
