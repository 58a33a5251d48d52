import * as tf from "@tensorflow/tfjs-core";
import type { Sheet } from "../../learning/offline/figures.ts";
import type { Update } from "../../learning/owners.ts";
import type { WindowBatch } from "./batch.ts";
import { actionLoss, cutValueLoss, environmentLosses, type Losses, type World } from "./losses.ts";

/** Numbers that may change from update to update. */
export interface Weights {
  readonly env: tf.Scalar;
  readonly policy: tf.Scalar;
  /** Of imitation in the policy's loss, where a planner searches. */
  readonly imitation: tf.Scalar;
}

export interface Given {
  readonly weights: Weights;
  readonly figures: Sheet;
}

/** What an update descends on: its losses, each times its weight. */
export function totalLoss(
  world: World,
  batch: WindowBatch,
  { terms, claims }: Update,
  { weights, figures }: Given,
): tf.Scalar {
  const losses = lossesOf(world, batch, { terms, claims, share: weights.imitation });
  const parts = terms.map((name) => {
    figures.note(`Loss/${name}`, losses[name]!);
    return tf.mul<tf.Scalar>(losses[name]!, name === "loss_action" ? weights.policy : weights.env);
  });
  const total = summed(parts);
  figures.note("Loss/total", total);
  // Unweighted: weights change where a stage begins, and the curve of the world goes on through that border.
  const ofWorld = terms.filter((name) => name !== "loss_action").map((name) => losses[name]!);
  if (ofWorld.length > 0) figures.note("Loss/world", summed(ofWorld));
  return total;
}

function summed(parts: readonly tf.Scalar[]): tf.Scalar {
  return parts.reduce((sum, part) => tf.add<tf.Scalar>(sum, part));
}

function lossesOf(
  world: World,
  batch: WindowBatch,
  { terms, claims, share }: Pick<Update, "terms" | "claims"> & { readonly share: tf.Scalar },
): Losses {
  const action = terms.includes("loss_action")
    ? { loss_action: actionLoss(world, batch, share) }
    : {};
  const env = terms.filter((name) => name !== "loss_action");
  if (env.length === 0) return action;
  // A value loss that may not reach the model is a loss of the prediction alone.
  if (claims.dynamics === "zero") return { ...action, loss_value: cutValueLoss(world, batch) };
  return { ...environmentLosses(world, batch), ...action };
}
