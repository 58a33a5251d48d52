import * as tf from "@tensorflow/tfjs-core";
import type { Network } from "../../../policies/networks/network.ts";
import { detached } from "../../learning/gradients.ts";
import {
  backedUp,
  leastQValue,
  noteCritics,
  type Twins,
  twinErrors,
} from "../../learning/offline/critic.ts";
import type { Sheet } from "../../learning/offline/figures.ts";
import { negativeLogLikelihood } from "../../learning/offline/gaussian.ts";
import type { Transitions } from "../../learning/offline/transitions.ts";
import type { Update } from "../../learning/owners.ts";
import type { IqlSettings } from "./settings.ts";

export interface IqlNetworks {
  /** Mean action, within ±1. */
  readonly actor: Network;
  /** `[actionWidth]`, the same in every state; absent: a deterministic actor. */
  readonly logStd?: tf.Variable | undefined;
  readonly value: Network;
  readonly critics: Twins;
  readonly criticTargets: Twins;
}

export const valueUpdate: Update = {
  name: "value",
  owner: "value",
  terms: ["value"],
  claims: { value: "step", critic: "zero", actor: "zero" },
};

export const criticUpdate: Update = {
  name: "critic",
  owner: "critic",
  terms: ["critic"],
  claims: { value: "zero", critic: "step", actor: "zero" },
};

export const actorUpdate: Update = {
  name: "actor",
  owner: "actor",
  terms: ["actor"],
  claims: { value: "zero", critic: "zero", actor: "step" },
};

export const losses = ["value", "critic", "actor"] as const;

/** Largest weight of an imitated action. */
const mostWeight = 100;

/** What the whole update goes by: computed before its first step. `[rows]` each. */
export interface Before {
  /** V(s′). */
  readonly nextValues: tf.Tensor1D;
  /** min(Q′₁, Q′₂)(s, a). */
  readonly targets: tf.Tensor1D;
  /** That less V(s). */
  readonly advantages: tf.Tensor1D;
}

export function before(
  { value, criticTargets }: IqlNetworks,
  { observations, actions, next }: Transitions,
): Before {
  const targets = leastQValue(criticTargets, observations, actions);
  const nextValues = valueOfState(value, next);
  return { nextValues, targets, advantages: tf.sub(targets, valueOfState(value, observations)) };
}

interface Known {
  readonly before: Before;
  readonly settings: IqlSettings;
  readonly figures: Sheet;
}

/** Expectile regression: mean |τ − 1[u < 0]| u², u = min Q′ − V(s). */
export function valueLoss(
  { value }: IqlNetworks,
  { observations }: Transitions,
  { before: { targets }, settings, figures }: Known,
): tf.Scalar {
  const values = valueOfState(value, observations);
  const errors = tf.sub(targets, values);
  const weights = detached(() => {
    const below = tf.cast(tf.less(errors, 0), "float32");
    return tf.abs(tf.sub(settings.iql_tau, below));
  });
  const loss = tf.mean(tf.mul(weights, tf.square(errors))) as tf.Scalar;
  figures.note("Loss/value", loss);
  figures.note("Value/v_mean", tf.mean(values));
  return loss;
}

/** (MSE(Q₁, y) + MSE(Q₂, y)) / 2, y = r + γ (1 − d) V(s′). */
export function criticLoss(
  { critics }: IqlNetworks,
  batch: Transitions,
  { before: { nextValues }, settings, figures }: Known,
): tf.Scalar {
  const wanted = backedUp(batch, nextValues, settings);
  const { first, second, sum } = twinErrors(critics, batch, wanted);
  const loss = tf.div<tf.Scalar>(sum, 2);
  noteCritics(figures, { loss, data: tf.minimum(first, second), first, wanted });
  return loss;
}

/** mean(min(exp(β A), 100) · (−log π(a | s))), or with the squared distance for a deterministic actor. */
export function actorLoss(
  { actor, logStd }: IqlNetworks,
  { observations, actions }: Transitions,
  { before: { advantages }, settings, figures }: Known,
): tf.Scalar {
  const weights = tf.minimum(tf.exp(tf.mul(advantages, settings.beta)), mostWeight);
  const distances = tf.square(tf.sub(actor.forward(observations, []).outputs, actions));
  const costs = logStd ? negativeLogLikelihood(distances, logStd) : distances;
  const loss = tf.mean(tf.mul(weights, tf.sum(costs, 1))) as tf.Scalar;
  figures.note("Loss/actor", loss);
  figures.note("Value/advantage_mean", tf.mean(advantages));
  figures.note("Policy/weight_mean", tf.mean(weights));
  figures.note("Policy/action_mse", tf.mean(distances));
  return loss;
}

function valueOfState(value: Network, states: tf.Tensor2D): tf.Tensor1D {
  return tf.reshape(value.forward(states, []).outputs, [-1]) as tf.Tensor1D;
}
