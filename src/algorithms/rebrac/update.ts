import * as tf from "@tensorflow/tfjs-core";
import { detached } from "../../learning/gradients.ts";
import {
  backedUp,
  leastQValue,
  meanSquare,
  noteCritics,
  twinErrors,
} from "../../learning/offline/critic.ts";
import type { Sheet } from "../../learning/offline/figures.ts";
import { smoothedActions, type Td3Networks } from "../../learning/offline/td3.ts";
import type { Transitions } from "../../learning/offline/transitions.ts";
import type { RebracSettings } from "./settings.ts";

interface Known {
  readonly noise: tf.Tensor;
  readonly settings: RebracSettings;
  readonly figures: Sheet;
}

/** Σ over the components of (a − b)², `[rows]`. */
function squaredDistance(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor1D {
  return tf.sum(tf.square(tf.sub(a, b)), 1) as tf.Tensor1D;
}

/** y = r + γ (1 − d) (min(Q′₁, Q′₂)(s′, ã) − β_critic Σ (ã − a′)²), a′ what was done at s′. */
export function target(networks: Td3Networks, batch: Transitions, known: Known): tf.Tensor1D {
  const { next, nextActions } = batch;
  const { settings } = known;
  const actions = smoothedActions(networks, next, known);
  const penalty = tf.mul(squaredDistance(actions, nextActions!), settings.critic_bc_coef);
  const values = tf.sub(leastQValue(networks.criticTargets, next, actions), penalty);
  return backedUp(batch, values, settings);
}

/** MSE(Q₁, y) + MSE(Q₂, y). */
export function criticLoss(networks: Td3Networks, batch: Transitions, known: Known): tf.Scalar {
  const wanted = detached(() => target(networks, batch, known));
  const { first, second, sum: loss } = twinErrors(networks.critics, batch, wanted);
  noteCritics(known.figures, { loss, data: tf.minimum(first, second), first, wanted });
  return loss;
}

/** mean(β_actor Σ (π(s) − a)² − λ min(Q₁, Q₂)(s, π(s))), λ = 1 / mean |min Q| held constant, or 1. */
export function actorLoss(
  { actor, critics }: Td3Networks,
  { observations, actions }: Transitions,
  { settings, figures }: Known,
): tf.Scalar {
  const chosen = actor.forward(observations, []).outputs;
  const values = leastQValue(critics, observations, chosen);
  const lambda = settings.normalize_q
    ? detached(() => tf.div(1, tf.mean(tf.abs(values))))
    : tf.scalar(1);
  const distance = squaredDistance(chosen, actions);
  const value = tf.neg(tf.mul<tf.Scalar>(lambda, tf.mean(values)));
  const imitation = tf.mul<tf.Scalar>(tf.mean(distance), settings.actor_bc_coef);
  const loss = tf.add<tf.Scalar>(imitation, value);
  figures.note("Loss/actor", loss);
  figures.note("Loss/q", value);
  figures.note("Loss/bc", imitation);
  figures.note("Loss/lambda", lambda);
  figures.note("Policy/squared_distance", tf.mean(distance));
  figures.note("Policy/action_mse", meanSquare(chosen, actions));
  figures.note("Value/q_mean", tf.mean(values));
  return loss;
}

/** Squared distance of random actions to the data: what the policy's is to be seen beside. */
export function randomDistance(random: tf.Tensor, { actions }: Transitions): tf.Scalar {
  return tf.mean(squaredDistance(random as tf.Tensor2D, actions)) as tf.Scalar;
}
