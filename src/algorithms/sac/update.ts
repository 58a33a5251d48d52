import * as tf from "@tensorflow/tfjs-core";
import { detached } from "../../learning/gradients.ts";
import {
  backedUp,
  leastQValue,
  noteCritics,
  type Twins,
  twinErrors,
} from "../../learning/offline/critic.ts";
import type { Sheet } from "../../learning/offline/figures.ts";
import { softActorLoss } from "../../learning/offline/soft-actor.ts";
import { sample, type TanhGaussian } from "../../learning/offline/tanh-gaussian.ts";
import type { Transitions } from "../../learning/offline/transitions.ts";
import type { Update } from "../../learning/owners.ts";
import type { SacSettings } from "./settings.ts";

export interface SacNetworks {
  readonly actor: TanhGaussian;
  readonly critics: Twins;
  readonly criticTargets: Twins;
  /** `[1]`. */
  readonly logAlpha: tf.Variable;
}

export interface Known {
  readonly noise: tf.Tensor;
  readonly settings: SacSettings;
  readonly figures: Sheet;
}

export const criticUpdate: Update = {
  ...{ name: "critic", owner: "critic", terms: ["critic"] },
  claims: { critic: "step", actor: "zero", alpha: "zero" },
};

export const actorUpdate: Update = {
  ...{ name: "actor", owner: "actor", terms: ["actor"] },
  claims: { critic: "pass", actor: "step", alpha: "zero" },
};

export const alphaUpdate: Update = {
  ...{ name: "alpha", owner: "alpha", terms: ["alpha"] },
  claims: { critic: "zero", actor: "zero", alpha: "step" },
};

export const losses = ["critic", "actor", "alpha"] as const;

/** MSE of both against y = r + γ (1 − d) (min Q′(s′, a′) − α log π(a′ | s′)), a′ drawn. */
export function criticLoss(
  { actor, critics, criticTargets, logAlpha }: SacNetworks,
  batch: Transitions,
  { noise, settings, figures }: Known,
): tf.Scalar {
  const wanted = detached(() => {
    const { actions, logProb } = sample(actor, batch.next, noise);
    const values = leastQValue(criticTargets, batch.next, actions as tf.Tensor2D);
    const soft = tf.sub(values, tf.mul(tf.exp(logAlpha), logProb));
    return backedUp(batch, soft, settings);
  });
  const { first, sum: loss } = twinErrors(critics, batch, wanted);
  noteCritics(figures, { loss, data: first, first, wanted });
  return loss;
}

/** See `softActorLoss`; its critics have stepped already. */
export function actorLoss(
  networks: SacNetworks,
  batch: Transitions,
  { noise, figures }: Known,
): tf.Scalar {
  const alpha = detached(() => tf.exp(networks.logAlpha));
  return softActorLoss(networks, batch, { noise, alpha, figures });
}

/** −mean(log α · (log π + target entropy)), with the new actor. */
export function alphaLoss(
  { actor, logAlpha }: SacNetworks,
  { observations, actions }: Transitions,
  { noise, settings, figures }: Known,
): tf.Scalar {
  const wanted = settings.target_entropy ?? -actions.shape[1];
  const above = detached(() => tf.add(sample(actor, observations, noise).logProb, wanted));
  const loss = tf.neg(tf.mean(tf.mul(logAlpha, above))) as tf.Scalar;
  figures.note("Loss/alpha", loss);
  return loss;
}
