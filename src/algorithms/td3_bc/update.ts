import * as tf from "@tensorflow/tfjs-core";
import { detached } from "../../learning/gradients.ts";
import {
  backedUp,
  leastQValue,
  meanSquare,
  noteCritics,
  qValue,
  twinErrors,
} from "../../learning/offline/critic.ts";
import type { Sheet } from "../../learning/offline/figures.ts";
import { smoothedActions, type Td3Networks } from "../../learning/offline/td3.ts";
import type { Transitions } from "../../learning/offline/transitions.ts";
import type { Td3BcSettings } from "./settings.ts";

/** y = r + γ (1 − d) min(Q′₁, Q′₂)(s′, ã), ã = clip(π′(s′) + clip(σε, ±c), ±max_action). */
export function target(
  networks: Td3Networks,
  batch: Transitions,
  known: { readonly noise: tf.Tensor; readonly settings: Td3BcSettings },
): tf.Tensor1D {
  const actions = smoothedActions(networks, batch.next, known);
  const values = leastQValue(networks.criticTargets, batch.next, actions);
  return backedUp(batch, values, known.settings);
}

/** MSE(Q₁, y) + MSE(Q₂, y). */
export function criticLoss(
  networks: Td3Networks,
  batch: Transitions,
  known: { noise: tf.Tensor; settings: Td3BcSettings; figures: Sheet },
): tf.Scalar {
  const wanted = detached(() => target(networks, batch, known));
  const { first, sum: loss } = twinErrors(networks.critics, batch, wanted);
  noteCritics(known.figures, { loss, data: first, first, wanted });
  return loss;
}

/** −λ · mean Q₁(s, π(s)) + mean (π(s) − a)², λ = α / mean |Q₁(s, π(s))| held constant. */
export function actorLoss(
  { actor, critics }: Td3Networks,
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
