import { deriveSeed, Random } from "../../../policies/random.ts";
import { type BatchAlgorithm, BatchLearner } from "../../learning/offline/batch-learner.ts";
import { createTwins } from "../../learning/offline/critic.ts";
import {
  createDeterministicActor,
  type DeterministicActor,
  type Given,
} from "../../learning/offline/deterministic-actor.ts";
import { type Draws, seededDraws } from "../../learning/offline/draws.ts";
import { type OfflineSite, rewardScaleOf } from "../../learning/offline/site.ts";
import { followSlowly, groupOf, Owner } from "../../learning/owner.ts";
import type { Td3BcSettings } from "./settings.ts";
import * as update from "./update.ts";

/** A recorded update's weights and random numbers. */
export interface Td3BcGiven extends Given {
  readonly draws: Draws;
}

/** Added to the variance in the critics' layer norms, as ReBRAC has it. */
const layerNorm = { epsilon: 1e-6 };

/** TD3+BC (Fujimoto and Gu, 2021). @throws LearningError `unbounded-action` */
export function createTd3Bc(
  settings: Td3BcSettings,
  site: OfflineSite,
  given?: Td3BcGiven,
): BatchLearner {
  const weights = new Random(deriveSeed(site.seed, "weights"));
  const random = new Random(deriveSeed(site.seed, "td3_bc"));
  const acting = createActor(settings, site, { random: weights.uniform, given });
  const networks = createNetworks(settings, acting, { random: weights.uniform, given });
  const { actor, actorTarget, critics, criticTargets } = networks;
  const groups = {
    critic: groupOf("critic", "critic", critics),
    actor: groupOf("actor", "actor", [actor]),
    criticTarget: groupOf("critic_target", "ema", criticTargets),
    actorTarget: groupOf("actor_target", "ema", [actorTarget]),
  };
  const follow = (rate: number) => {
    followSlowly(groups.criticTarget, groups.critic, rate);
    followSlowly(groups.actorTarget, groups.actor, rate);
  };
  if (!given) follow(1);
  const all = Object.values(groups);
  const draws = given?.draws ?? seededDraws(random);
  const learn: BatchAlgorithm["learn"] = (batch, { number, figures, step }) => {
    const noise = draws.normal(batch.actions.shape);
    const known = { noise, settings, figures };
    step(update.criticUpdate, () => update.criticLoss(networks, batch, known));
    if (number % settings.policy_freq === 0) {
      step(update.actorUpdate, () => update.actorLoss(networks, batch, known));
      follow(settings.tau);
    }
    noise.dispose();
  };
  return new BatchLearner({
    groups: all,
    owners: [
      new Owner("critic", all, { learningRate: settings.critic_learning_rate }),
      new Owner("actor", all, { learningRate: settings.actor_learning_rate }),
    ],
    updates: [update.criticUpdate, update.actorUpdate],
    losses: update.losses,
    policies: { student: acting.policy },
    ...{ view: acting.view, graph: acting.graph, random, learn },
  });
}

interface Source {
  readonly random: () => number;
  readonly given: Td3BcGiven | undefined;
}

function createActor(settings: Td3BcSettings, site: OfflineSite, { random, given }: Source) {
  return createDeterministicActor(site, {
    hidden: settings.actor_hidden_dims,
    normaliseStates: settings.normalize_states,
    rewardScale: settings.normalize_reward ? rewardScaleOf(site.returns) : 1,
    rewardShift: settings.reward_shift ?? 0,
    ...{ random, given, prefix: "actor.net" },
  });
}

function createNetworks(
  settings: Td3BcSettings,
  { network, another, view, maxAction }: DeterministicActor,
  { random, given }: Source,
): update.Td3BcNetworks {
  const { observationWidth, actionWidth } = view;
  const options = {
    ...{ observationWidth, actionWidth, hidden: settings.critic_hidden_dims },
    ...{ layerNorm: settings.layer_norm ? layerNorm : undefined, random },
    weights: given?.weights,
  };
  return {
    ...{ actor: network, maxAction },
    actorTarget: another("actor_target.net"),
    critics: createTwins(["critic_1.net", "critic_2.net"], options),
    criticTargets: createTwins(["critic_1_target.net", "critic_2_target.net"], options),
  };
}
