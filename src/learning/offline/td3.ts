import * as tf from "@tensorflow/tfjs-core";
import type { Update } from "../owners.ts";
import type { ActorCritic } from "./actor-critic.ts";

/** What TD3 (Fujimoto, 2018) trains, and everything that is built upon it. */
export interface Td3Networks extends ActorCritic {
  /** Half the width of the action range. */
  readonly maxAction: number;
}

export const criticUpdate: Update = {
  name: "critic",
  owner: "critic",
  terms: ["critic"],
  claims: { critic: "step", actor: "zero" },
};

/** The value of an action flows through a critic, which is not moved by it. */
export const actorUpdate: Update = {
  name: "actor",
  owner: "actor",
  terms: ["q", "bc"],
  claims: { critic: "pass", actor: "step" },
};

export const losses = ["critic", "q", "bc"] as const;

/** In halves of the action range. */
export interface Smoothing {
  readonly policy_noise: number;
  readonly noise_clip: number;
}

/** ã = clip(π′(s′) + clip(σε, ±c), ±max_action), `[rows, actions]`. @param noise ε, standard normal */
export function smoothedActions(
  { actorTarget, maxAction }: Td3Networks,
  next: tf.Tensor2D,
  { noise, settings }: { readonly noise: tf.Tensor; readonly settings: Smoothing },
): tf.Tensor2D {
  const clip = settings.noise_clip * maxAction;
  const smoothing = tf.clipByValue(tf.mul(noise, settings.policy_noise * maxAction), -clip, clip);
  const steered = tf.add(actorTarget.forward(next, []).outputs, smoothing);
  return tf.clipByValue(steered, -maxAction, maxAction) as tf.Tensor2D;
}
