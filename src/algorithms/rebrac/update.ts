import * as tf from "@tensorflow/tfjs-core";
import { detached } from "../../learning/gradients.ts";
import type { ActorCritic } from "../../learning/offline/actor-critic.ts";
import { leastQValue, meanSquare, qValue } from "../../learning/offline/critic.ts";
import type { Sheet } from "../../learning/offline/figures.ts";
import type { Transitions } from "../../learning/offline/transitions.ts";
import type { Update } from "../../learning/owners.ts";
import type { RebracSettings } from "./settings.ts";

export interface RebracNetworks extends ActorCritic {
  /** Half the width of the action range. */
  readonly maxAction: number;
}

export const criticUpdate: Update = {
  name: "critic",
  owner: "critic",
  terms: ["critic"],
  claims: { critic: "step", actor: "zero" },
};

export const actorUpdate: Update = {
  name: "actor",
  owner: "actor",
  terms: ["q", "bc"],
  claims: { critic: "pass", actor: "step" },
};

export const losses = ["critic", "q", "bc"] as const;

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
export function target(
  { actorTarget, criticTargets, maxAction }: RebracNetworks,
  { next, rewards, alive, nextActions }: Transitions,
  { noise, settings }: Known,
): tf.Tensor1D {
  const clip = settings.noise_clip * maxAction;
  const smoothing = tf.clipByValue(tf.mul(noise, settings.policy_noise * maxAction), -clip, clip);
  const steered = tf.add(actorTarget.forward(next, []).outputs, smoothing);
  const actions = tf.clipByValue(steered, -maxAction, maxAction) as tf.Tensor2D;
  const penalty = tf.mul(squaredDistance(actions, nextActions!), settings.critic_bc_coef);
  const value = tf.sub(leastQValue(criticTargets, next, actions), penalty);
  return tf.add(rewards, tf.mul(tf.mul(alive, settings.discount), value));
}

/** MSE(Q₁, y) + MSE(Q₂, y). */
export function criticLoss(networks: RebracNetworks, batch: Transitions, known: Known): tf.Scalar {
  const { figures } = known;
  const wanted = detached(() => target(networks, batch, known));
  const [first, second] = networks.critics.map((critic) =>
    qValue(critic, batch.observations, batch.actions),
  ) as [tf.Tensor1D, tf.Tensor1D];
  const loss = tf.add<tf.Scalar>(meanSquare(first, wanted), meanSquare(second, wanted));
  figures.note("Loss/critic", loss);
  figures.note("Value/q_data", tf.mean(tf.minimum(first, second)));
  figures.note("Value/q_abs_mean", tf.mean(tf.abs(first)));
  figures.note("Value/target_mean", tf.mean(wanted));
  return loss;
}

/** mean(β_actor Σ (π(s) − a)² − λ min(Q₁, Q₂)(s, π(s))), λ = 1 / mean |min Q| held constant, or 1. */
export function actorLoss(
  { actor, critics }: RebracNetworks,
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
