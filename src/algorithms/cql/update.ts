import * as tf from "@tensorflow/tfjs-core";
import { detached } from "../../learning/gradients.ts";
import {
  backedUp,
  leastQValue,
  meanSquare,
  qValue,
  repeatedStates,
  type Twins,
} from "../../learning/offline/critic.ts";
import type { Sheet } from "../../learning/offline/figures.ts";
import { softActorLoss } from "../../learning/offline/soft-actor.ts";
import { type Sample, sample, type TanhGaussian } from "../../learning/offline/tanh-gaussian.ts";
import type { Transitions } from "../../learning/offline/transitions.ts";
import type { Update } from "../../learning/owners.ts";
import { gap, spread, type Unseen, unseenValues } from "./penalty.ts";
import type { CqlSettings } from "./settings.ts";

/** What shapes its deviation is trained with it. */
interface TrainedGaussian extends TanhGaussian {
  readonly multiplier: tf.Variable;
  readonly offset: tf.Variable;
}

export interface CqlNetworks {
  readonly actor: TrainedGaussian;
  readonly critics: Twins;
  readonly criticTargets: Twins;
  /** `[1]`; where entropy's weight is learned. */
  readonly logAlpha?: tf.Variable | undefined;
  /** `[1]`; where the penalty has a Lagrange multiplier. */
  readonly logAlphaPrime?: tf.Variable | undefined;
}

/** What the whole update goes by: drawn and computed before its first step. Constants. */
export interface Before {
  /** Standard normal, for the policy at s. */
  readonly noise: tf.Tensor;
  /** Entropy's weight and the multiplier. */
  readonly alpha: tf.Tensor;
  readonly alphaPrime: tf.Tensor;
  /** The actor's log-likelihood at s. */
  readonly logProb: tf.Tensor;
  /** min Q′ at s′ and the policy's action there, less entropy's share where that is backed up, `[rows]`. */
  readonly nextValues: tf.Tensor;
  readonly unseen: Unseen;
}

/**
 * Everything of the networks as they are before any of them steps.
 *
 * @param drawn in CORL's order: the policy at s and s′, uniform actions, several of the policy at s and s′
 */
export function before(
  networks: CqlNetworks,
  batch: Transitions,
  { drawn, settings }: { readonly drawn: readonly tf.Tensor[]; readonly settings: CqlSettings },
): Before {
  const { actor, logAlpha, logAlphaPrime } = networks;
  const { observations, next } = batch;
  const [noise, nextNoise, random, currentMany, nextMany] = drawn as readonly [
    ...[tf.Tensor, tf.Tensor, tf.Tensor3D, tf.Tensor, tf.Tensor],
  ];
  const alpha = logAlpha
    ? tf.mul(tf.exp(logAlpha), settings.alpha_multiplier)
    : tf.tensor1d([settings.alpha_multiplier]);
  const multiplier = logAlphaPrime && tf.clipByValue(tf.exp(logAlphaPrime), 0, 1e6);
  const followed = sample(actor, next, nextNoise);
  return {
    ...{ noise, alpha, alphaPrime: multiplier ?? tf.tensor1d([1]) },
    logProb: sample(actor, observations, noise).logProb,
    nextValues: nextValues(networks, batch, { drawn: followed, alpha, settings }),
    unseen: {
      random,
      next: sample(actor, next, nextMany),
      current: sample(actor, observations, currentMany),
    },
  };
}

interface Drawn {
  readonly drawn: Sample;
  readonly alpha: tf.Tensor;
  readonly settings: CqlSettings;
}

function nextValues(
  { criticTargets }: CqlNetworks,
  { rows, next }: Transitions,
  { drawn: { actions, logProb }, alpha, settings }: Drawn,
): tf.Tensor {
  if (!settings.cql_max_target_backup) {
    const values = leastQValue(criticTargets, next, actions as tf.Tensor2D);
    return settings.backup_entropy ? tf.sub(values, tf.mul(alpha, logProb)) : values;
  }
  const [, count = 1, width = 1] = actions.shape;
  const states = repeatedStates(next, count);
  const flat = tf.reshape(actions, [rows * count, width]) as tf.Tensor2D;
  const values = tf.reshape(leastQValue(criticTargets, states, flat), [rows, count]);
  const best = tf.max(values, 1);
  if (!settings.backup_entropy) return best;
  const chosen = tf.oneHot(tf.argMax(values, 1), count);
  return tf.sub(best, tf.mul(alpha, tf.sum(tf.mul(logProb, chosen), 1)));
}

interface Known {
  readonly before: Before;
  readonly settings: CqlSettings;
  readonly figures: Sheet;
}

/** −mean(log α · (log π + target entropy)): the logarithm is multiplied, not α. */
export function alphaLoss(
  { logAlpha }: CqlNetworks,
  { actions }: Transitions,
  { before: { logProb }, settings, figures }: Known,
): tf.Scalar {
  const wanted = settings.target_entropy ?? -actions.shape[1];
  const loss = tf.neg(tf.mean(tf.mul(logAlpha!, tf.add(logProb, wanted)))) as tf.Scalar;
  figures.note("Loss/alpha", loss);
  return loss;
}

/** See `softActorLoss`; its critics have not stepped yet, and α is from before the update. */
export function actorLoss(networks: CqlNetworks, batch: Transitions, known: Known): tf.Scalar {
  const { before, figures } = known;
  const { noise, alpha } = before;
  return softActorLoss(networks, batch, { noise, alpha, figures });
}

/** −½ of both penalties: the multiplier grows while they are above the gap that is wanted. */
export function alphaPrimeLoss(
  { critics, logAlphaPrime }: CqlNetworks,
  { observations, actions }: Transitions,
  { before: { unseen }, settings, figures }: Known,
): tf.Scalar {
  const multiplier = tf.clipByValue(tf.exp(logAlphaPrime!), 0, 1e6);
  const above = critics.map((critic) =>
    detached(() => {
      const seen = qValue(critic, observations, actions);
      const found = gap(seen, unseenValues(critic, observations, unseen), { unseen, settings });
      return tf.mul(tf.sub(found, settings.cql_target_action_gap!), settings.cql_alpha);
    }),
  );
  const loss = tf.mean(tf.mul(multiplier, tf.mul(tf.addN(above), -0.5))) as tf.Scalar;
  figures.note("Loss/alpha_prime", loss);
  figures.note("CQL/alpha_prime", multiplier);
  return loss;
}

/** Per critic MSE(Q, y), y = r + γ (1 − d) · next value, and the penalty α_cql · gap; all added. */
export function criticLoss(
  { critics }: CqlNetworks,
  batch: Transitions,
  { before, settings, figures }: Known,
): tf.Scalar {
  const { observations, actions } = batch;
  const wanted = backedUp(batch, before.nextValues, settings);
  const { unseen } = before;
  const parts = critics.flatMap((critic, i) => {
    const seen = qValue(critic, observations, actions);
    const values = unseenValues(critic, observations, unseen);
    const found = gap(seen, values, { unseen, settings });
    const distance = meanSquare(seen, wanted);
    const penalty = penaltyOf(found, before.alphaPrime, settings);
    const n = i + 1;
    figures.note(`Loss/td_${n}`, distance);
    figures.note(`Loss/cql_${n}`, penalty);
    figures.note(`Value/q_data_${n}`, tf.mean(seen));
    figures.note(`CQL/gap_${n}`, found);
    figures.note(`CQL/std_${n}`, spread(seen, values));
    figures.note(`CQL/q_random_${n}`, tf.mean(values.random));
    figures.note(`CQL/q_next_${n}`, tf.mean(values.next));
    figures.note(`CQL/q_current_${n}`, tf.mean(values.current));
    if (i === 0) figures.note("Value/q_data", tf.mean(seen));
    if (i === 0) figures.note("Value/q_abs_mean", tf.mean(tf.abs(seen)));
    return [distance, penalty];
  });
  const loss = tf.addN(parts) as tf.Scalar;
  figures.note("Loss/critic", loss);
  figures.note("Value/next_mean", tf.mean(before.nextValues));
  return loss;
}

function penaltyOf(found: tf.Scalar, alphaPrime: tf.Tensor, settings: CqlSettings): tf.Scalar {
  const wanted = settings.cql_target_action_gap;
  if (wanted === null) return tf.mul(found, settings.cql_alpha);
  const above = tf.mul(tf.sub(found, wanted), settings.cql_alpha);
  return tf.mean(tf.mul(alphaPrime, above)) as tf.Scalar;
}

/** What is claimed: the optional owners are there where the settings want them. */
export function updatesOf(settings: CqlSettings): readonly Update[] {
  const tuned = settings.use_automatic_entropy_tuning;
  const lagrange = settings.cql_target_action_gap !== null;
  const names = [
    ...["actor", "critic"],
    ...(tuned ? ["alpha"] : []),
    ...(lagrange ? ["alpha_prime"] : []),
  ];
  const update = (name: string, terms: readonly string[], passes: readonly string[] = []) => {
    const claim = (group: string) => {
      if (group === name) return "step" as const;
      return passes.includes(group) ? ("pass" as const) : ("zero" as const);
    };
    const claims = Object.fromEntries(names.map((group) => [group, claim(group)]));
    return { name, owner: name, terms, claims };
  };
  return [
    ...(lagrange ? [update("alpha_prime", ["alpha_prime"])] : []),
    ...(tuned ? [update("alpha", ["alpha"])] : []),
    update("actor", ["actor"], ["critic"]),
    update("critic", ["td_1", "cql_1", "td_2", "cql_2"]),
  ];
}

export const losses = [
  ...["alpha_prime", "alpha", "actor", "td_1", "cql_1", "td_2", "cql_2"],
] as const;
