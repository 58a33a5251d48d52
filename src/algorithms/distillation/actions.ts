import type { ActionSpec } from "../../../protocol/spec.ts";
import type { Rows } from "../../running/env-split.ts";
import { FlightError } from "../../running/running-error.ts";

export function whenStudentBreaks(value: number): FlightError {
  return new FlightError(
    "diverged",
    `The student's action is ${value}: its weights have diverged.`,
    "Lower algorithm.learning_rate, set algorithm.max_grad_norm (1.0), or resume from the last checkpoint.",
  );
}

export function whenTeacherBreaks(value: number): FlightError {
  return new FlightError(
    "broken-teacher",
    `The teacher's action is ${value}: there is nothing to learn from it.`,
    "Check its activation (--activation) and observation groups (agent.obs_groups.teacher), or fly another.",
  );
}

/** NaN would pass the clipping and reach the loss and the simulator. */
export function finite(
  actions: Float32Array,
  complaint: (value: number) => FlightError,
): Float32Array {
  const bad = actions.find((value) => !Number.isFinite(value));
  if (bad !== undefined) throw complaint(bad);
  return actions;
}

/** Beyond the range the simulator clamps: a student that regressed on more would learn nothing real. */
export function clip(actions: Float32Array, { low, high }: ActionSpec): Float32Array {
  const width = low.length;
  return actions.map((value, i) => Math.min(Math.max(value, low[i % width]!), high[i % width]!));
}

export function copyRows(from: Float32Array, to: Float32Array, rows: Rows, numEnvs: number): void {
  const width = to.length / numEnvs;
  to.set(from.subarray(rows.from * width, rows.to * width), rows.from * width);
}
