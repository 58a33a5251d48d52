import { deriveSeed, Random } from "../../../policies/random.ts";
import { type BatchAlgorithm, BatchLearner } from "../../learning/offline/batch-learner.ts";
import { createTwins } from "../../learning/offline/critic.ts";
import {
  createDeterministicActor,
  type DeterministicActor,
  type Given,
} from "../../learning/offline/deterministic-actor.ts";
import { type Draws, seededDraws } from "../../learning/offline/draws.ts";
import { smallLast } from "../../learning/offline/initialisers.ts";
import { type OfflineSite, rewardScaleOf } from "../../learning/offline/site.ts";
import { followSlowly, groupOf, Owner } from "../../learning/owner.ts";
import type { RebracSettings } from "./settings.ts";
import * as update from "./update.ts";

/** A recorded update's weights and random numbers. */
export interface RebracGiven extends Given {
  readonly draws: Draws;
}

/** ReBRAC (Tarasov and others, 2023). @throws LearningError `unbounded-action` */
export function createRebrac(
  settings: RebracSettings,
  site: OfflineSite,
  given?: RebracGiven,
): BatchLearner {
  const weights = new Random(deriveSeed(site.seed, "weights"));
  const random = new Random(deriveSeed(site.seed, "rebrac"));
  const acting = createActor(settings, site, { random: weights.uniform, given });
  const networks = createNetworks(settings, acting, { random: weights.uniform, given });
  const { actor, actorTarget, critics, criticTargets } = networks;
  const critic = groupOf("critic", "critic", critics);
  const acts = groupOf("actor", "actor", [actor]);
  const criticTarget = groupOf("critic_target", "ema", criticTargets);
  const actsTarget = groupOf("actor_target", "ema", [actorTarget]);
  const groups = [critic, acts, criticTarget, actsTarget];
  if (!given) {
    followSlowly(criticTarget, critic, 1);
    followSlowly(actsTarget, acts, 1);
  }
  const draws = given?.draws ?? seededDraws(random);
  const learn: BatchAlgorithm["learn"] = (batch, { number, figures, step }) => {
    const noise = draws.normal(batch.actions.shape);
    const known = { noise, settings, figures };
    step(update.criticUpdate, () => update.criticLoss(networks, batch, known));
    if ((number - 1) % settings.policy_freq === 0) {
      const anywhere = draws.uniform(batch.actions.shape);
      figures.note("Policy/random_squared_distance", () => update.randomDistance(anywhere, batch));
      anywhere.dispose();
      // The actor's copy lags one step: it follows the actor as it was before this one.
      followSlowly(actsTarget, acts, settings.tau);
      step(update.actorUpdate, () => update.actorLoss(networks, batch, known));
      followSlowly(criticTarget, critic, settings.tau);
    }
    noise.dispose();
  };
  return new BatchLearner({
    groups,
    owners: [
      new Owner("critic", groups, { learningRate: settings.critic_learning_rate }),
      new Owner("actor", groups, { learningRate: settings.actor_learning_rate }),
    ],
    updates: [update.criticUpdate, update.actorUpdate],
    losses: update.losses,
    policies: { student: acting.policy },
    view: { ...acting.view, nextActions: true },
    ...{ graph: acting.graph, random, learn },
  });
}

interface Source {
  readonly random: () => number;
  readonly given: RebracGiven | undefined;
}

function createActor(settings: RebracSettings, site: OfflineSite, { random, given }: Source) {
  const norm = { epsilon: settings.layer_norm_epsilon };
  return createDeterministicActor(site, {
    hidden: settings.actor_hidden_dims,
    layerNorm: settings.actor_layer_norm ? norm : undefined,
    normaliseStates: settings.normalize_states,
    rewardScale: settings.normalize_reward ? rewardScaleOf(site.returns) : 1,
    rewardShift: settings.reward_shift ?? 0,
    ...{ random, given, init: smallLast(1e-3), stride: 3, prefix: "actor" },
  });
}

function createNetworks(
  settings: RebracSettings,
  { network, another, view, maxAction }: DeterministicActor,
  { random, given }: Source,
): update.RebracNetworks {
  const { observationWidth, actionWidth } = view;
  const norm = { epsilon: settings.layer_norm_epsilon };
  const options = {
    ...{ observationWidth, actionWidth, hidden: settings.critic_hidden_dims },
    ...{ layerNorm: settings.layer_norm ? norm : undefined, random, init: smallLast(3e-3) },
    weights: given?.weights,
  };
  return {
    ...{ actor: network, maxAction },
    actorTarget: another("actor_target"),
    critics: createTwins(["critic_1", "critic_2"], options),
    criticTargets: createTwins(["critic_1_target", "critic_2_target"], options),
  };
}
