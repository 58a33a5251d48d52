import { deriveSeed, Random } from "../../../policies/random.ts";
import { actorCriticGroups } from "../../learning/offline/actor-critic.ts";
import type { BatchAlgorithm } from "../../learning/offline/batch-algorithm.ts";
import { BatchLearner } from "../../learning/offline/batch-learner.ts";
import { createTwins, layerNorm } from "../../learning/offline/critic.ts";
import {
  createDeterministicActor,
  type DeterministicActor,
  type WeightSource,
} from "../../learning/offline/deterministic-actor.ts";
import { type GivenDraws, seededDraws } from "../../learning/offline/draws.ts";
import { type OfflineSite, rewardUnits } from "../../learning/offline/site.ts";
import { actorUpdate, criticUpdate, losses, type Td3Networks } from "../../learning/offline/td3.ts";
import { createOwners } from "../../learning/owner.ts";
import type { Td3BcSettings } from "./settings.ts";
import * as update from "./update.ts";

/** TD3+BC (Fujimoto and Gu, 2021). @throws LearningError `unbounded-action` */
export function createTd3Bc(
  settings: Td3BcSettings,
  site: OfflineSite,
  given?: GivenDraws,
): BatchLearner {
  const weights = new Random(deriveSeed(site.seed, "weights"));
  const random = new Random(deriveSeed(site.seed, "td3_bc"));
  const acting = createActor(settings, site, { random: weights.uniform, given });
  const networks = createNetworks(settings, acting, { random: weights.uniform, given });
  const groups = actorCriticGroups(networks, site);
  const follow = (rate: number) => {
    groups.followCritic(rate);
    groups.followActor(rate);
  };
  if (!given) follow(1);
  const draws = given?.draws ?? seededDraws(random);
  const learn: BatchAlgorithm["learn"] = (_, { drawn, form, figures, step }) => {
    const known = { noise: drawn[0]!, settings, figures };
    step(criticUpdate, (seen) => update.criticLoss(networks, seen, known));
    const [actorSteps] = form;
    if (!actorSteps) return;
    step(actorUpdate, (seen) => update.actorLoss(networks, seen, known));
    follow(settings.tau);
  };
  const { critic_learning_rate: critic, actor_learning_rate: actor } = settings;
  return new BatchLearner(
    {
      groups: groups.all,
      owners: createOwners(groups.all, { critic, actor }),
      updates: [criticUpdate, actorUpdate],
      losses,
      policies: { student: acting.policy },
      critic: networks.critics[0],
      form: (number) => [number % settings.policy_freq === 0],
      stepping: ([actorSteps]) => (actorSteps ? ["critic", "actor"] : ["critic"]),
      draw: ({ rows, actionWidth }) => [draws.normal([rows, actionWidth])],
      ...{ view: acting.view, graph: acting.graph, random, learn },
    },
    site,
  );
}

function createActor(settings: Td3BcSettings, site: OfflineSite, { random, given }: WeightSource) {
  return createDeterministicActor(site, {
    hidden: settings.actor_hidden_dims,
    normaliseStates: settings.normalize_states,
    reward: rewardUnits(settings, site),
    ...{ random, given, prefix: "actor.net" },
  });
}

function createNetworks(
  settings: Td3BcSettings,
  { network, another, view, maxAction }: DeterministicActor,
  { random, given }: WeightSource,
): Td3Networks {
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
