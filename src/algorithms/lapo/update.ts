import * as tf from "@tensorflow/tfjs-core";
import { decoded, latentOf } from "../../../policies/networks/latent-actor.ts";
import type { Network } from "../../../policies/networks/network.ts";
import { detached } from "../../learning/gradients.ts";
import { backedUp, meanSquare, noteCritics, qValue } from "../../learning/offline/critic.ts";
import type { Sheet } from "../../learning/offline/figures.ts";
import type { Transitions } from "../../learning/offline/transitions.ts";
import type { Parts } from "./networks.ts";
import { reachesEncoder } from "./ownership.ts";
import type { DecidedSettings } from "./settings.ts";
import { divergenceOf, reconstructed } from "./vae.ts";

export interface LapoNetworks {
  readonly online: Parts;
  readonly slow: Parts;
}

/** What an update goes by. */
export interface Known {
  /** Actions standardised. */
  readonly batch: Transitions;
  /** Standard normal, `[rows, latent]`: for the value's target, for the VAE. */
  readonly drawn: readonly [tf.Tensor, tf.Tensor];
  readonly settings: DecidedSettings;
  /** What a value can be, in the learner's units. */
  readonly bounds: { readonly least: number; readonly most: number };
  readonly figures: Sheet;
}

/** Noise on the latent in the value's target, and the most of it. */
const [latentNoise, noiseClip] = [0.1, 0.2] as const;

/** MSE(Q₁, y) + MSE(Q₂, y) + MSE(V, v*), y = r + γ (1 − d) V(s′) with the V that is trained. */
export function criticLoss(networks: LapoNetworks, known: Known): tf.Scalar {
  const { online } = networks;
  const { batch, settings, figures } = known;
  const wanted = detached(() =>
    backedUp(batch, stateValue(online.value, featuresOf(online, batch.next)), settings),
  );
  const best = detached(() => bestValue(networks, known));
  const features = seenBy("critic", networks, known);
  const [first, second] = online.critics.map((q) => qValue(q, features, batch.actions));
  const value = stateValue(online.value, features);
  const [q1, q2] = [meanSquare(first!, wanted), meanSquare(second!, wanted)];
  const v = meanSquare(value, best);
  const loss = tf.add<tf.Scalar>(tf.add(v, q1), q2);
  noteCritics(figures, { loss, data: first!, first: first!, wanted });
  figures.note("Loss/q1", q1);
  figures.note("Loss/q2", q2);
  figures.note("Loss/v", v);
  figures.note("Value/v_mean", tf.mean(value));
  return loss;
}

/** mean w · (Σ (â − a)² + kl_beta · KL), w the expectile of the advantage: better actions count more. */
export function vaeLoss(networks: LapoNetworks, known: Known): tf.Scalar {
  const { online } = networks;
  const { batch, drawn, settings, figures } = known;
  const weights = detached(() => {
    const advantages = advantagesOf(networks, known);
    figures.note("Value/advantage_mean", tf.mean(advantages));
    const better = tf.cast(tf.greater(advantages, 0), "float32");
    const [more, less] = [settings.expectile, 1 - settings.expectile];
    return tf.add(tf.mul(better, more), tf.mul(tf.sub(1, better), less));
  });
  const features = seenBy("vae", networks, known);
  const latent = online.vae.encode(features, batch.actions);
  const actions = reconstructed(online.vae, features, { latent, noise: drawn[1] });
  const distances = tf.sum(tf.square(tf.sub(actions, batch.actions)), 1);
  const divergence = divergenceOf(latent);
  const costs = tf.add(distances, tf.mul(divergence, settings.kl_beta));
  const loss = tf.mean(tf.mul(weights, costs)) as tf.Scalar;
  figures.note("Loss/vae", loss);
  figures.note("Loss/reconstruction", tf.mean(distances));
  figures.note("Loss/kl", tf.mean(divergence));
  return loss;
}

/** −mean Q₁(s, dec′(s, π(s))): the new critic, the slow decoder. */
export function actorLoss({ online, slow }: LapoNetworks, known: Known): tf.Scalar {
  const { batch, settings, figures } = known;
  const features = detached(() => featuresOf(online, batch.observations));
  const latent = latentOf(online.actor, features, settings.max_latent_action);
  const actions = decoded(slow.vae.decoder, features, latent);
  const values = qValue(online.critics[0], features, actions);
  const loss = tf.neg(tf.mean(values)) as tf.Scalar;
  figures.note("Loss/actor", loss);
  figures.note("Value/q_mean", tf.mean(values));
  figures.note("Policy/latent_size", tf.mean(tf.abs(latent)));
  figures.note("Policy/action_mse", meanSquare(actions, batch.actions));
  return loss;
}

/** v* = clip(mix(Q′)(s, dec′(s, π′(s) + clipped noise)), least, most), at the state ITSELF. */
function bestValue({ slow }: LapoNetworks, known: Known): tf.Tensor1D {
  const { batch, drawn, settings, bounds } = known;
  const features = featuresOf(slow, batch.observations);
  const noise = tf.clipByValue(tf.mul(drawn[0], latentNoise), -noiseClip, noiseClip);
  const latent = latentOf(slow.actor, features, settings.max_latent_action);
  // The noisy latent may lie beyond the actor's bound.
  const actions = decoded(slow.vae.decoder, features, tf.add(latent, noise));
  const values = mixedValue(slow, { features, actions, settings });
  return tf.clipByValue(values, bounds.least, bounds.most);
}

/** r + γ (1 − d) mix(Q′)(s′, dec′(s′, π′(s′))) − V(s), V after its step. */
function advantagesOf({ online, slow }: LapoNetworks, known: Known): tf.Tensor1D {
  const { batch, settings } = known;
  const features = featuresOf(slow, batch.next);
  const latent = latentOf(slow.actor, features, settings.max_latent_action);
  const actions = decoded(slow.vae.decoder, features, latent);
  const values = mixedValue(slow, { features, actions, settings });
  const here = stateValue(online.value, featuresOf(online, batch.observations));
  return tf.sub(backedUp(batch, values, settings), here);
}

interface Judged {
  readonly features: tf.Tensor2D;
  readonly actions: tf.Tensor2D;
  readonly settings: DecidedSettings;
}

/** m · min + (1 − m) · max of both critics, m = `doubleq_min`, `[rows]`. */
function mixedValue({ critics }: Parts, { features, actions, settings }: Judged): tf.Tensor1D {
  const [first, second] = critics.map((critic) => qValue(critic, features, actions));
  const { doubleq_min: share } = settings;
  const least = tf.mul(tf.minimum(first!, second!), share);
  return tf.add(least, tf.mul(tf.maximum(first!, second!), 1 - share));
}

/** The states' features for a loss: a gradient reaches the encoder where its owner has it so. */
function seenBy(update: "critic" | "vae", { online }: LapoNetworks, known: Known): tf.Tensor2D {
  const { batch, settings } = known;
  const see = () => featuresOf(online, batch.observations);
  if (!online.encoder || reachesEncoder(update, settings.encoder_owner)) return see();
  return detached(see);
}

function featuresOf({ encoder }: Parts, observations: tf.Tensor2D): tf.Tensor2D {
  return encoder ? encoder.forward(observations, []).outputs : observations;
}

function stateValue(value: Network, features: tf.Tensor2D): tf.Tensor1D {
  return tf.reshape(value.forward(features, []).outputs, [-1]) as tf.Tensor1D;
}
