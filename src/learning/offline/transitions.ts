import * as tf from "@tensorflow/tfjs-core";
import type { OutputRange } from "../../../policies/networks/bounded.ts";
import type { Normaliser } from "../../../policies/networks/normaliser.ts";
import { gatherGroups } from "../../../policies/rows.ts";
import type { ObservationArray } from "../../../protocol/frame.ts";
import type { Experience } from "../experience.ts";
import { LearningError } from "../learning-error.ts";
import type { RewardUnits } from "./site.ts";

/** One batch on the device, as the networks see it. */
export interface Transitions {
  readonly rows: number;
  /** `[rows, observationWidth]`, normalised. */
  readonly observations: tf.Tensor2D;
  /** `[rows, actionWidth]`, ±1 being the action bounds. */
  readonly actions: tf.Tensor2D;
  /** `[rows]`, scaled. */
  readonly rewards: tf.Tensor1D;
  /** The true successors, normalised; the observations themselves where they aren't wanted. */
  readonly next: tf.Tensor2D;
  /** `[rows]`: 0 where the episode ended in a terminal state, else 1. The clock ends nothing. */
  readonly alive: tf.Tensor1D;
  /** `[rows, actionWidth]`: what was done at `next`, where asked for. */
  readonly nextActions?: tf.Tensor2D;
}

/** How recorded numbers become the networks' numbers. */
export interface TransitionView {
  /** Observation groups, concatenated in this order. */
  readonly reads: readonly string[];
  readonly observationWidth: number;
  /** Of those groups together as they are recorded, where a belief makes states of them; absent: the same. */
  readonly recordedWidth?: number | undefined;
  readonly actionWidth: number;
  readonly normaliser?: Normaliser | undefined;
  /** Of the simulator's actions, which is brought to ±1; absent: taken as they are. */
  readonly range?: OutputRange | undefined;
  readonly reward: RewardUnits;
  /** `notes/next_actions` are wanted. */
  readonly nextActions?: boolean;
  /** Rewards are wanted as sums to the end of their episode, at this discount. */
  readonly rewardsToGo?: number;
  /** Nothing but what was seen and done is wanted: rewards may not be recorded, and successors aren't read. */
  readonly imitates?: boolean;
}

/** Batch number `step` of an experience. @throws LearningError `missing-array`, `array-size` */
export function transitionsAt(
  experience: Experience,
  step: number,
  view: TransitionView,
): Transitions {
  const rows = experience.numEnvs;
  const at = { experience, step };
  const { actionWidth, reward, range } = view;
  const actions = (name: string) =>
    tf.tensor2d(toUnit(columnsOf(at, name, actionWidth), range), [rows, actionWidth]);
  const rewards = view.imitates
    ? new Float32Array(rows)
    : Float32Array.from(
        columnsOf(at, "rewards", 1),
        (value) => value * reward.scale + reward.shift,
      );
  const alive = Float32Array.from(columnsOf(at, "terminated", 1), (ended) => (ended ? 0 : 1));
  const observations = observed(at, "obs", view);
  return {
    rows,
    observations,
    actions: actions("actions"),
    rewards: tf.tensor1d(rewards),
    next: view.imitates ? observations.clone() : observed(at, "next", view),
    alive: tf.tensor1d(alive),
    ...(view.nextActions && { nextActions: actions("notes/next_actions") }),
  };
}

export function disposeTransitions(transitions: Transitions): void {
  tf.dispose(tensorsOf(transitions) as tf.Tensor[]);
}

/** All that it consists of, in an order that `transitionsFrom` knows. */
export function tensorsOf(transitions: Transitions): readonly tf.Tensor[] {
  const { observations, actions, rewards, next, alive, nextActions } = transitions;
  return [observations, actions, rewards, next, alive, ...(nextActions ? [nextActions] : [])];
}

export function transitionsFrom(tensors: readonly tf.Tensor[]): Transitions {
  const [observations, actions, rewards, next, alive, nextActions] = tensors as [
    ...[tf.Tensor2D, tf.Tensor2D, tf.Tensor1D, tf.Tensor2D, tf.Tensor1D, tf.Tensor2D?],
  ];
  const all = { observations, actions, rewards, next, alive, ...(nextActions && { nextActions }) };
  return { rows: observations.shape[0], ...all };
}

interface At {
  readonly experience: Experience;
  readonly step: number;
}

function observed(at: At, kind: "obs" | "next", view: TransitionView): tf.Tensor2D {
  const { reads, normaliser } = view;
  const observationWidth = view.recordedWidth ?? view.observationWidth;
  const rows = at.experience.numEnvs;
  const groups = reads.map((name) => {
    return [name, columnsOf(at, `${kind}/${name}`) as ObservationArray] as const;
  });
  const gathered = gatherGroups({ reads, observationWidth }, Object.fromEntries(groups), rows);
  return tf.tidy(() => {
    const raw = tf.tensor2d(gathered, [rows, observationWidth]);
    return normaliser ? normaliser.apply(raw) : raw;
  });
}

/** The rows of one step. @param width checked where given */
function columnsOf({ experience, step }: At, name: string, width?: number) {
  const { arrays, steps, numEnvs } = experience;
  const all = Object.hasOwn(arrays, name) ? arrays[name] : undefined;
  if (all === undefined) {
    throw new LearningError(
      "missing-array",
      `The experience holds no '${name}', but ${Object.keys(arrays).join(", ") || "nothing"}.`,
      "Record flights that hold it, or name other observation groups.",
    );
  }
  const size = all.length / steps;
  if (!Number.isInteger(size / numEnvs) || (width !== undefined && size !== width * numEnvs)) {
    throw new LearningError(
      "array-size",
      `'${name}' holds ${all.length} numbers for ${steps} steps of ${numEnvs} rows${width === undefined ? "" : ` of width ${width}`}.`,
      "Use flights of this task.",
    );
  }
  return all.subarray(step * size, (step + 1) * size);
}

/** A fresh array: (a − centre) / half, held within ±1, since a simulator clamps to its bounds. */
function toUnit(actions: ArrayLike<number>, range: OutputRange | undefined): Float32Array {
  const unit = Float32Array.from(actions);
  if (range === undefined) return unit;
  const { center, half } = range;
  for (let i = 0; i < unit.length; i += 1) {
    const column = i % half.length;
    const value = (unit[i]! - center[column]!) / half[column]!;
    unit[i] = Math.min(1, Math.max(-1, value));
  }
  return unit;
}
