import type { ActionSpec } from "../../protocol/spec.ts";
import type { Rows } from "./env-split.ts";
import { RunningError } from "./running-error.ts";

/**
 * NaN would pass the clipping and reach the loss and the simulator.
 *
 * @param name `student` or `teacher`, who is told apart: the one has diverged, the other never was right
 * @throws RunningError `diverged` or `broken-teacher`
 */
export function refuseBrokenActions(name: string, actions: Float32Array): void {
  for (let i = 0; i < actions.length; i += 1) {
    if (!Number.isFinite(actions[i])) throw broken(name, actions[i]!);
  }
}

function broken(name: string, value: number): RunningError {
  if (name === "teacher") {
    return new RunningError(
      "broken-teacher",
      `The teacher's action is ${value}: there is nothing to learn from it.`,
      "Check its activation (--activation) and observation groups (agent.obs_groups.teacher), or fly another.",
    );
  }
  return new RunningError(
    "diverged",
    `The ${name}'s action is ${value}: its weights have diverged.`,
    "Lower algorithm.learning_rate, set algorithm.max_grad_norm (1.0), or resume from the last checkpoint.",
  );
}

/** A copy inside the range: beyond it the simulator clamps, and who regressed on more would learn nothing real. */
export function clipped(
  actions: Float32Array,
  { low, high }: Pick<ActionSpec, "low" | "high">,
): Float32Array {
  const width = low.length;
  const inside = actions.slice();
  for (let column = 0; column < width; column += 1) {
    const [least, most] = [low[column]!, high[column]!];
    for (let i = column; i < inside.length; i += width) {
      if (inside[i]! < least) inside[i] = least;
      else if (inside[i]! > most) inside[i] = most;
    }
  }
  return inside;
}

/** Copies some rows of `[numEnvs, width]` arrays. */
export function copyRows(from: Float32Array, to: Float32Array, rows: Rows, numEnvs: number): void {
  const width = to.length / numEnvs;
  to.set(from.subarray(rows.from * width, rows.to * width), rows.from * width);
}
