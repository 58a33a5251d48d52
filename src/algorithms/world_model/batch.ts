import * as tf from "@tensorflow/tfjs-core";
import type { Experience } from "../../learning/experience.ts";
import { LearningError } from "../../learning/learning-error.ts";
import { nearestLevels, toUnit } from "./levels.ts";
import { scaled, type WorldFacts } from "./world-facts.ts";

/** What a planner found for some rows of a batch. */
export interface SearchTargets {
  /** `[B, 1]`: 1 where a row was searched. */
  readonly searched: Float32Array;
  /** `[B, actionWidth]`: the planner's action there, ±1 between the bounds. */
  readonly actions: Float32Array;
  /** `[B, actionWidth · levels]`: how likely each level should be. */
  readonly shares: Float32Array;
}

/** Windows on the device, step by step: rows are `step · B + row`, L transitions, as the networks see them. */
export interface WindowBatch {
  /** `[B, history · observationWidth]`. */
  readonly observations: tf.Tensor2D;
  /** `[L · B, actionWidth]`, ±1 between the bounds. */
  readonly actions: tf.Tensor2D;
  /** `[(L + 1) · B, actionWidth]`, int32: the nearest level. */
  readonly levels: tf.Tensor2D;
  /** `[(L + 1) · B, 1]`: 0 where the episode was over. */
  readonly acted: tf.Tensor2D;
  /** `[L · B, all heads]`: of the steps behind the first. */
  readonly targets: tf.Tensor2D;
  /** `[L · B, 1]`. */
  readonly rewards: tf.Tensor2D;
  /** `[(L + 1) · B, 1]`, in units of reward; `later`: `[(L + 1) · B, history · observationWidth]`. */
  readonly returns: tf.Tensor2D;
  readonly bootstrap: tf.Tensor2D;
  readonly later: tf.Tensor2D;
  /** As `SearchTargets`; absent where nothing plans. */
  readonly searched?: tf.Tensor2D | undefined;
  readonly plannedActions?: tf.Tensor2D | undefined;
  readonly plannedShares?: tf.Tensor2D | undefined;
}

const order = [
  ...["observations", "actions", "levels", "acted", "targets", "rewards", "returns", "bootstrap"],
  ...["later", "searched", "plannedActions", "plannedShares"],
] as readonly (keyof WindowBatch)[];

/** All that it consists of, in an order that `batchFrom` knows. */
export function tensorsOf(batch: WindowBatch): tf.Tensor[] {
  return order.flatMap((name) => batch[name] ?? []);
}

export function batchFrom(tensors: readonly tf.Tensor[]): WindowBatch {
  const entries = tensors.map((tensor, i) => [order[i]!, tensor]);
  return Object.fromEntries(entries) as unknown as WindowBatch;
}

/** One batch of windows, as they were recorded. */
export interface RecordedWindows {
  readonly rows: number;
  /** L. */
  readonly length: number;
  readonly arrays: Readonly<Record<string, Float32Array>>;
}

/** Batch number `step` of an experience. @throws LearningError `missing-array` */
export function windowsAt({ steps, numEnvs, arrays }: Experience, step: number): RecordedWindows {
  const own = Object.entries(arrays).filter(([name]) => name.startsWith("window/"));
  const cut = own.map(([name, values]) => {
    const size = values.length / steps;
    return [name.slice("window/".length), values.subarray(step * size, (step + 1) * size)];
  });
  const found = Object.fromEntries(cut) as Record<string, Float32Array>;
  const { rewards } = found;
  if (rewards) return { rows: numEnvs, length: rewards.length / numEnvs, arrays: found };
  throw new LearningError(
    "missing-array",
    `The experience holds no windows, but ${Object.keys(arrays).join(", ") || "nothing"}.`,
    "Give a world model windows of recorded flights.",
  );
}

/** Brings windows to the device. @param planned what a planner found, where one searched */
export function uploadBatch(
  { rows, length, arrays }: RecordedWindows,
  facts: WorldFacts,
  planned?: SearchTargets,
): WindowBatch {
  const width = facts.bounds.low.length;
  const byStep = (name: string, steps: number) => stepMajor(arrays[name]!, { rows, steps });
  const tensor = (values: Float32Array, shape: number) =>
    tf.tensor2d(values, [shape, values.length / shape]);
  const actions = byStep("actions", length + 1);
  const predicted = byStep("predicted", length + 1);
  const heads = joinedScale(facts);
  const many = (length + 1) * rows;
  return {
    observations: tensor(scaled(arrays.observations!, facts.observations), rows),
    actions: tensor(
      toUnit(facts.bounds, actions.subarray(0, length * rows * width)),
      length * rows,
    ),
    levels: tf.tensor2d(nearestLevels(facts.levels, actions), [many, width], "int32"),
    acted: tensor(byStep("acted", length + 1), many),
    targets: tensor(scaled(predicted.subarray(rows * heads.mean.length), heads), length * rows),
    rewards: tensor(scaled(byStep("rewards", length), facts.reward), length * rows),
    returns: tensor(byStep("returns", length + 1), many),
    bootstrap: tensor(byStep("bootstrap", length + 1), many),
    later: tensor(scaled(byStep("later", length + 1), facts.observations), many),
    ...(planned && {
      searched: tensor(planned.searched, rows),
      plannedActions: tensor(planned.actions, rows),
      plannedShares: tensor(planned.shares, rows),
    }),
  };
}

/** Of all heads, side by side. */
export function joinedScale({ heads }: WorldFacts) {
  return {
    mean: heads.flatMap(({ scale }) => scale.mean),
    std: heads.flatMap(({ scale }) => scale.std),
  };
}

/** From `[rows, steps, …]` to `[steps, rows, …]`: a fresh array. */
export function stepMajor(
  values: Float32Array,
  { rows, steps }: { readonly rows: number; readonly steps: number },
): Float32Array {
  const width = values.length / (rows * steps);
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row += 1) {
    for (let step = 0; step < steps; step += 1) {
      const from = (row * steps + step) * width;
      turned.set(values.subarray(from, from + width), (step * rows + row) * width);
    }
  }
  return turned;
}
