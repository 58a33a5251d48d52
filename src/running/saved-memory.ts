import { isDeepStrictEqual } from "node:util";
import type { Memory } from "../../policies/policy.ts";
import { RunningError } from "./running-error.ts";

/** Plain JSON. */
export type SavedMemory = readonly (readonly number[])[];

export function savedMemory(memory: Memory): SavedMemory {
  return memory.map((state) => Array.from(state));
}

/**
 * The inverse.
 *
 * @param who for people, e.g. `the student`
 * @param expected a memory of the same policy and environments
 * @throws RunningError `other-memory`
 */
export function memoryFrom(saved: SavedMemory, expected: Memory, who: string): Memory {
  const [found, wanted] = [saved, expected].map((all) => [...all].map(({ length }) => length));
  if (isDeepStrictEqual(found, wanted)) return saved.map((state) => Float32Array.from(state));
  throw new RunningError(
    "other-memory",
    `The checkpoint's memory of ${who} has ${found!.join(" + ") || "no"} numbers, expected ${wanted!.join(" + ") || "none"}.`,
    "Resume with the run's own num_envs and policy, or from another checkpoint.",
  );
}
