import * as tf from "@tensorflow/tfjs-core";
import { detached } from "../../learning/gradients.ts";
import type { ActorCritic } from "../../learning/offline/actor-critic.ts";
import { leastQValue, meanSquare, qValue } from "../../learning/offline/critic.ts";
import type { Sheet } from "../../learning/offline/figures.ts";
import type { Transitions } from "../../learning/offline/transitions.ts";
import type { Update } from "../../learning/owners.ts";
import type { Td3BcSettings } from "./settings.ts";

export interface Td3BcNetworks extends ActorCritic {
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

/** y = r + γ (1 − d) min(Q′₁, Q′₂)(s′, ã), ã = clip(π′(s′) + clip(σε, ±c), ±max_action). */
export function target(
  { actorTarget, criticTargets, maxAction }: Td3BcNetworks,
  { next, rewards, alive }: Transitions,
  { noise, settings }: { readonly noise: tf.Tensor; readonly settings: Td3BcSettings },
): tf.Tensor1D {
  const clip = settings.noise_clip * maxAction;
  const smoothing = tf.clipByValue(tf.mul(noise, settings.policy_noise * maxAction), -clip, clip);
  const steered = tf.add(actorTarget.forward(next, []).outputs, smoothing);
  const actions = tf.clipByValue(steered, -maxAction, maxAction) as tf.Tensor2D;
  const value = leastQValue(criticTargets, next, actions);
  return tf.add(rewards, tf.mul(tf.mul(alive, settings.discount), value));
}

/** MSE(Q₁, y) + MSE(Q₂, y). */
export function criticLoss(
  networks: Td3BcNetworks,
  batch: Transitions,
  known: { noise: tf.Tensor; settings: Td3BcSettings; figures: Sheet },
): tf.Scalar {
  const { figures } = known;
  const wanted = detached(() => target(networks, batch, known));
  const [first, second] = networks.critics.map((critic) =>
    qValue(critic, batch.observations, batch.actions),
  ) as [tf.Tensor1D, tf.Tensor1D];
  const loss = tf.add<tf.Scalar>(meanSquare(first, wanted), meanSquare(second, wanted));
  figures.note("Loss/critic", loss);
  figures.note("Value/q_data", tf.mean(first));
  figures.note("Value/q_abs_mean", tf.mean(tf.abs(first)));
  figures.note("Value/target_mean", tf.mean(wanted));
  return loss;
}

/** −λ · mean Q₁(s, π(s)) + mean (π(s) − a)², λ = α / mean |Q₁(s, π(s))| held constant. */
export function actorLoss(
  { actor, critics }: Td3BcNetworks,
  { observations, actions }: Transitions,
  { settings, figures }: { settings: Td3BcSettings; figures: Sheet },
): tf.Scalar {
  const chosen = actor.forward(observations, []).outputs;
  const values = qValue(critics[0], observations, chosen);
  const lambda = detached(() => tf.div(settings.alpha, tf.mean(tf.abs(values))));
  const value = tf.neg(tf.mul<tf.Scalar>(lambda, tf.mean(values)));
  const imitation = meanSquare(chosen, actions);
  const loss = tf.add<tf.Scalar>(value, imitation);
  figures.note("Loss/actor", loss);
  figures.note("Loss/q", value);
  figures.note("Loss/bc", imitation);
  figures.note("Loss/lambda", lambda);
  figures.note("Value/q_mean", tf.mean(values));
  return loss;
}
