import { deriveSeed, Random } from "../../../policies/random.ts";
import { actorCriticGroups } from "../../learning/offline/actor-critic.ts";
import type { BatchAlgorithm } from "../../learning/offline/batch-algorithm.ts";
import { BatchLearner } from "../../learning/offline/batch-learner.ts";
import { layerNorm } from "../../learning/offline/critic.ts";
import {
  createDeterministicActor,
  type WeightSource,
} from "../../learning/offline/deterministic-actor.ts";
import { type GivenDraws, seededDraws } from "../../learning/offline/draws.ts";
import { type OfflineSite, rewardUnits } from "../../learning/offline/site.ts";
import { actorUpdate, criticUpdate } from "../../learning/offline/td3.ts";
import { createTd3Networks, td3Learner } from "../../learning/offline/td3-learner.ts";
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
  const source = { random: weights.uniform, given };
  const acting = createActor(settings, site, source);
  const networks = createTd3Networks(acting, criticsOf(settings, source));
  const { all: groups, follow } = actorCriticGroups(networks, site);
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
  return new BatchLearner(
    {
      ...td3Learner({ acting, networks, groups, settings }),
      form: (number) => [number % settings.policy_freq === 0],
      draw: ({ rows, actionWidth }) => [draws.normal([rows, actionWidth])],
      ...{ random, learn },
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

function criticsOf(settings: Td3BcSettings, { random, given }: WeightSource) {
  return {
    hidden: settings.critic_hidden_dims,
    layerNorm: settings.layer_norm ? layerNorm : undefined,
    ...{ random, weights: given?.weights, suffix: ".net" },
  };
}
