import * as tf from "@tensorflow/tfjs-core";
import { closeness } from "../../../policies/rankers/best-items.ts";
import { detached } from "../../learning/gradients.ts";
import {
  backedUp,
  leastQValue,
  noteCritics,
  qValue,
  repeatedStates,
  type Twins,
  twinErrors,
} from "../../learning/offline/critic.ts";
import type { Sheet } from "../../learning/offline/figures.ts";
import { smoothedActions, type Td3Networks } from "../../learning/offline/td3.ts";
import type { Transitions } from "../../learning/offline/transitions.ts";
import type { Update } from "../../learning/owners.ts";
import type { WolpertingerSettings } from "./settings.ts";

/** TD3's networks, and the actions that were recorded, `[library, actions]` in ±1. */
export interface WolpertingerNetworks extends Td3Networks {
  readonly library: tf.Variable;
}

export const actorUpdate: Update = {
  ...{ name: "actor", owner: "actor", terms: ["q"] },
  claims: { critic: "pass", actor: "step" },
};

export const losses = ["critic", "q"] as const;

interface Known {
  readonly noise: tf.Tensor;
  readonly settings: WolpertingerSettings;
  readonly figures: Sheet;
}

/** Of each proposal the recorded actions that are nearest: `[rows · neighbours, actions]`, those of a row together. */
export function nearest(library: tf.Tensor2D, proposals: tf.Tensor2D, count: number): tf.Tensor2D {
  const { indices } = tf.topk(closeness(proposals, library), count);
  return tf.gather(library, tf.reshape(indices, [-1]));
}

/** The largest min(Q₁, Q₂)(s, c) over the recorded actions c that are nearest to a proposal, `[rows]`. */
function bestValue(
  critics: Twins,
  states: tf.Tensor2D,
  { candidates, count }: { readonly candidates: tf.Tensor2D; readonly count: number },
): tf.Tensor1D {
  const values = leastQValue(critics, repeatedStates(states, count), candidates);
  return tf.max(tf.reshape(values, [states.shape[0], count]), 1) as tf.Tensor1D;
}

/** MSE of both against y = r + γ (1 − d) max_c min(Q′₁, Q′₂)(s′, c), c recorded and near π′(s′) with TD3's noise. */
export function criticLoss(
  networks: WolpertingerNetworks,
  batch: Transitions,
  { noise, settings, figures }: Known,
): tf.Scalar {
  const wanted = detached(() => {
    const count = Math.min(settings.neighbours, networks.library.shape[0]!);
    const proposals = smoothedActions(networks, batch.next, { noise, settings });
    const library = networks.library as unknown as tf.Tensor2D;
    const candidates = nearest(library, proposals, count);
    const values = bestValue(networks.criticTargets, batch.next, { candidates, count });
    return backedUp(batch, values, settings);
  });
  const { first, sum: loss } = twinErrors(networks.critics, batch, wanted);
  noteCritics(figures, { loss, data: first, first, wanted });
  return loss;
}

/** −mean Q₁(s, π(s)) / mean |Q₁|, what it is divided by held constant: the proposal itself is judged. */
export function actorLoss(
  { actor, critics }: WolpertingerNetworks,
  { observations }: Transitions,
  { figures }: Known,
): tf.Scalar {
  const values = qValue(critics[0], observations, actor.forward(observations, []).outputs);
  const scale = detached(() => tf.mean(tf.abs(values)));
  const loss = tf.neg(tf.div<tf.Scalar>(tf.mean(values), scale));
  figures.note("Loss/q", loss);
  figures.note("Value/q_mean", tf.mean(values));
  return loss;
}
