import type { Policy } from "./policy.ts";

/** What a wrapper has to say: how it acts, and whom it frees. The rest is the wrapped policy's, where it isn't said. */
type Wrapping = Pick<Policy, "act" | "dispose"> & Partial<Omit<Policy, "act" | "dispose">>;

/**
 * A policy that is another one in all but what is said here.
 *
 *     const slower = around(policy, { act: (frame, memory) => …, dispose: () => {} });
 */
export function around(policy: Policy, wrapping: Wrapping): Policy {
  return {
    reads: policy.reads,
    observationWidth: policy.observationWidth,
    actionWidth: policy.actionWidth,
    ...(policy.shapes && { shapes: policy.shapes }),
    initialMemory: (numEnvs) => policy.initialMemory(numEnvs),
    ...wrapping,
  };
}
