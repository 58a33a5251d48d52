import type { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import type { Memory } from "../../../policies/policy.ts";
import type { ObservationArray, Observations } from "../../../protocol/frame.ts";
import type { Experience } from "../../learning/experience.ts";

/** A rollout as the learner sees it: rows step after step, observations gathered for the student. */
export interface Batch {
  readonly steps: number;
  readonly numEnvs: number;
  /** `[steps * numEnvs, observationWidth]`, raw. */
  readonly inputs: Float32Array;
  /** The teacher's actions, `[steps * numEnvs, actionWidth]`. */
  readonly targets: Float32Array;
  /** `[steps * numEnvs]`, 0 where the episode ended at that step, else 1. */
  readonly alive: Float32Array;
  /** The student's memory before the first step. */
  readonly memory: Memory;
}

export function batchOf({ steps, numEnvs, arrays }: Experience, policy: NetworkPolicy): Batch {
  const { terminated, truncated } = arrays as Record<string, Uint8Array>;
  const alive = new Float32Array(steps * numEnvs);
  for (let i = 0; i < alive.length; i += 1) alive[i] = terminated![i] || truncated![i] ? 0 : 1;
  return {
    steps,
    numEnvs,
    inputs: policy.gather(groupsUnder("obs/", arrays), steps * numEnvs),
    targets: arrays["notes/teacher_actions"] as Float32Array,
    alive,
    memory: policy.network.memoryWidths.map((_, i) => arrays[`memory/${i}`] as Float32Array),
  };
}

/** What the student sees behind the last step, `[numEnvs, observationWidth]`, raw. */
export function seenAfter({ numEnvs, arrays }: Experience, policy: NetworkPolicy): Float32Array {
  return policy.gather(groupsUnder("after/", arrays), numEnvs);
}

function groupsUnder(prefix: string, arrays: Experience["arrays"]): Observations {
  const groups = Object.entries(arrays).flatMap(([name, data]) =>
    name.startsWith(prefix) ? [[name.slice(prefix.length), data as ObservationArray] as const] : [],
  );
  return Object.fromEntries(groups);
}
