import type { EnvSpec } from "../../protocol/spec.ts";

/** `d4rl`: flat arrays. `minari`: a group per episode. `robomimic`, Isaac Lab's too: per demonstration. */
export const LAYOUTS = ["d4rl", "minari", "robomimic"] as const;
export type Layout = (typeof LAYOUTS)[number];

/** One row of an array: how many numbers, what they are kept as, their names and units where known. */
export interface ArraySpec {
  readonly width: number;
  readonly kept: "float32" | "uint8";
  /** Of a row, where it has more than one axis: of bytes `[height, width, channels]`, a picture. */
  readonly shape?: readonly number[];
  readonly names?: readonly string[];
  readonly units?: readonly string[];
}

/** Whether its rows are what an encoder of pictures reads: bytes of `[height, width, channels]`. */
export function isPictureArray({ kept, shape }: ArraySpec): boolean {
  return kept === "uint8" && shape?.length === 3;
}

export interface ActionArraySpec extends ArraySpec {
  /** Bounds per component, where the file says them; infinite ones are said as such. */
  readonly low?: readonly number[];
  readonly high?: readonly number[];
  /** Stored as integers: choices among so many, perhaps. */
  readonly whole?: true;
}

export interface FlightsSpec {
  readonly groups: Readonly<Record<string, ArraySpec>>;
  readonly action: ActionArraySpec;
  /** What else was recorded at every step: `teacher_actions`, `driver`, `noise` …, by name. */
  readonly notes: Readonly<Record<string, ArraySpec>>;
  readonly hasRewards: boolean;
  /** `recorded`: its own array at every step; `following`: the next row of the same episode. */
  readonly successors: "recorded" | "following";
  /** The simulator's own, where the file has it. */
  readonly env?: EnvSpec;
}
