import * as tf from "@tensorflow/tfjs-core";
import { deriveSeed, Random } from "../../../policies/random.ts";
import type { BatchAlgorithm } from "../../learning/offline/batch-algorithm.ts";
import { BatchLearner } from "../../learning/offline/batch-learner.ts";
import { beliefGroups } from "../../learning/offline/belief.ts";
import { createTwins, layerNorm } from "../../learning/offline/critic.ts";
import {
  createDeterministicActor,
  type DeterministicActor,
  type WeightSource,
} from "../../learning/offline/deterministic-actor.ts";
import { type Draws, type GivenDraws, seededDraws } from "../../learning/offline/draws.ts";
import { orthogonal, xavierLast } from "../../learning/offline/initialisers.ts";
import { type OfflineSite, rewardUnits } from "../../learning/offline/site.ts";
import { createOwners, followSlowly, groupOf } from "../../learning/owner.ts";
import type { Update } from "../../learning/owners.ts";
import type { CqlSettings } from "./settings.ts";
import * as update from "./update.ts";

/** CQL (Kumar and others, 2020) upon SAC. @throws LearningError `unbounded-action` */
export function createCql(
  settings: CqlSettings,
  site: OfflineSite,
  given?: GivenDraws,
): BatchLearner {
  const weights = new Random(deriveSeed(site.seed, "weights"));
  const random = new Random(deriveSeed(site.seed, "cql"));
  const acting = createActor(settings, site, { random: weights.uniform, given });
  const networks = createNetworks(settings, acting, { random: weights.uniform, given });
  const { groups: own, follow } = groupsOf(networks);
  const groups = [...own, ...beliefGroups(site, ["critic", "actor"])];
  if (!given) follow(1);
  const updates = update.updatesOf(settings);
  const learn: BatchAlgorithm["learn"] = (batch, { drawn, form, figures, step }) => {
    const before = update.before(networks, batch, { drawn, settings });
    const known = { before, settings, figures };
    for (const one of updates) step(one, (seen) => lossOf(one)(networks, seen, known));
    const [copiesFollow] = form;
    if (copiesFollow) follow(settings.tau);
  };
  return new BatchLearner(
    {
      ...{ groups, updates, losses: update.losses, random, learn },
      form: (number) => [number % settings.target_update_period === 0],
      draw: drawsOf(given?.draws ?? seededDraws(random), settings),
      owners: createOwners(groups, ratesOf(updates, settings)),
      policies: { student: acting.policy },
      critic: networks.critics[0],
      ...{ view: acting.view, graph: acting.graph },
    },
    site,
  );
}

/** In CORL's order. */
function drawsOf(draws: Draws, settings: CqlSettings): NonNullable<BatchAlgorithm["draw"]> {
  return ({ rows, actionWidth }) => {
    const one = [rows, actionWidth];
    const many = [rows, settings.cql_n_actions, actionWidth];
    return [
      draws.normal(one),
      draws.normal(settings.cql_max_target_backup ? many : one),
      draws.uniform(many),
      draws.normal(many),
      draws.normal(many),
    ];
  };
}

function lossOf({ name }: Update) {
  if (name === "alpha") return update.alphaLoss;
  if (name === "alpha_prime") return update.alphaPrimeLoss;
  return name === "actor" ? update.actorLoss : update.criticLoss;
}

/** The multiplier goes with the critics, entropy's weight with the actor. */
function ratesOf(updates: readonly Update[], settings: CqlSettings): Record<string, number> {
  const { actor_learning_rate: actor, critic_learning_rate: critic } = settings;
  const rate = { actor, alpha: actor, critic, alpha_prime: critic };
  return Object.fromEntries(updates.map(({ owner }) => [owner, rate[owner as keyof typeof rate]]));
}

function groupsOf({ actor, critics, criticTargets, logAlpha, logAlphaPrime }: update.CqlNetworks) {
  const single = (name: string, value: tf.Variable) => ({ parameters: [{ name, value }] });
  const weight = (name: string, value: tf.Variable | undefined) =>
    value ? [groupOf(name, name, [single(`log_${name}.constant`, value)])] : [];
  const acts = groupOf("actor", "actor", [
    actor.network,
    single("actor.log_std_multiplier.constant", actor.multiplier),
    single("actor.log_std_offset.constant", actor.offset),
  ]);
  const critic = groupOf("critic", "critic", critics);
  const criticTarget = groupOf("critic_target", "ema", criticTargets);
  const weights = [...weight("alpha", logAlpha), ...weight("alpha_prime", logAlphaPrime)];
  return {
    groups: [acts, critic, criticTarget, ...weights],
    follow: (rate: number) => followSlowly(criticTarget, critic, rate),
  };
}

function createActor(settings: CqlSettings, site: OfflineSite, { random, given }: WeightSource) {
  return createDeterministicActor(site, {
    hidden: settings.actor_hidden_dims,
    normaliseStates: settings.normalize_states,
    reward: rewardUnits(settings, site),
    outputsPerAction: 2,
    ...{ random, given, init: xavierLast(1e-2), prefix: "actor.base_network" },
  });
}

function createNetworks(
  settings: CqlSettings,
  { mlp, view, maxAction }: DeterministicActor,
  { random, given }: WeightSource,
): update.CqlNetworks {
  const { observationWidth, actionWidth } = view;
  const options = {
    ...{ observationWidth, actionWidth, hidden: settings.critic_hidden_dims },
    ...{ layerNorm: settings.layer_norm ? layerNorm : undefined, random, init: orthogonal(1e-2) },
    weights: given?.weights,
  };
  const constant = (name: string, initial: number) =>
    tf.tidy(() =>
      tf.variable(tf.tensor1d([given?.weights[`${name}.constant`]?.data[0] ?? initial])),
    );
  const lagrange = settings.cql_target_action_gap !== null;
  return {
    actor: {
      ...{ network: mlp, maxAction },
      multiplier: constant("actor.log_std_multiplier", 1),
      offset: constant("actor.log_std_offset", -1),
    },
    critics: createTwins(["critic_1.network", "critic_2.network"], options),
    criticTargets: createTwins(["critic_1_target.network", "critic_2_target.network"], options),
    logAlpha: settings.use_automatic_entropy_tuning ? constant("log_alpha", 0) : undefined,
    logAlphaPrime: lagrange ? constant("log_alpha_prime", 1) : undefined,
  };
}
