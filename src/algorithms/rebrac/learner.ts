import { deriveSeed, Random } from "../../../policies/random.ts";
import { actorCriticGroups } from "../../learning/offline/actor-critic.ts";
import type { BatchAlgorithm } from "../../learning/offline/batch-algorithm.ts";
import { BatchLearner } from "../../learning/offline/batch-learner.ts";
import {
  createDeterministicActor,
  type WeightSource,
} from "../../learning/offline/deterministic-actor.ts";
import { type GivenDraws, seededDraws } from "../../learning/offline/draws.ts";
import { smallLast } from "../../learning/offline/initialisers.ts";
import { type OfflineSite, rewardUnits } from "../../learning/offline/site.ts";
import { actorUpdate, criticUpdate } from "../../learning/offline/td3.ts";
import { createTd3Networks, td3Learner } from "../../learning/offline/td3-learner.ts";
import type { RebracSettings } from "./settings.ts";
import * as update from "./update.ts";

/** ReBRAC (Tarasov and others, 2023). @throws LearningError `unbounded-action` */
export function createRebrac(
  settings: RebracSettings,
  site: OfflineSite,
  given?: GivenDraws,
): BatchLearner {
  const weights = new Random(deriveSeed(site.seed, "weights"));
  const random = new Random(deriveSeed(site.seed, "rebrac"));
  const source = { random: weights.uniform, given };
  const acting = createActor(settings, site, source);
  const networks = createTd3Networks(acting, criticsOf(settings, source));
  const { all: groups, ...copies } = actorCriticGroups(networks, site);
  if (!given) copies.follow(1);
  const draws = given?.draws ?? seededDraws(random);
  const learn: BatchAlgorithm["learn"] = (batch, { drawn, form, figures, step }) => {
    const [noise, anywhere] = drawn;
    const known = { noise: noise!, settings, figures };
    step(criticUpdate, (seen) => update.criticLoss(networks, seen, known));
    const [actorSteps] = form;
    if (!actorSteps) return;
    figures.note("Policy/random_squared_distance", update.randomDistance(anywhere!, batch));
    // The actor's copy lags one step: it follows the actor as it was before this one.
    copies.followActor(settings.tau);
    step(actorUpdate, (seen) => update.actorLoss(networks, seen, known));
    copies.followCritic(settings.tau);
  };
  return new BatchLearner(
    {
      ...td3Learner({ acting, networks, groups, settings }),
      view: { ...acting.view, nextActions: true },
      form: (number) => [(number - 1) % settings.policy_freq === 0],
      draw: ({ rows, actionWidth }, [actorSteps]) => {
        const shape = [rows, actionWidth];
        return actorSteps ? [draws.normal(shape), draws.uniform(shape)] : [draws.normal(shape)];
      },
      ...{ random, learn },
    },
    site,
  );
}

function createActor(settings: RebracSettings, site: OfflineSite, { random, given }: WeightSource) {
  const norm = { epsilon: settings.layer_norm_epsilon };
  return createDeterministicActor(site, {
    hidden: settings.actor_hidden_dims,
    layerNorm: settings.actor_layer_norm ? norm : undefined,
    normaliseStates: settings.normalize_states,
    reward: rewardUnits(settings, site),
    ...{ random, given, init: smallLast(1e-3), stride: 3, prefix: "actor" },
  });
}

function criticsOf(settings: RebracSettings, { random, given }: WeightSource) {
  return {
    hidden: settings.critic_hidden_dims,
    layerNorm: settings.layer_norm ? { epsilon: settings.layer_norm_epsilon } : undefined,
    ...{ random, init: smallLast(3e-3), weights: given?.weights, suffix: "" },
    // Recorded updates leave a number for the norm, also where there is none; our checkpoints don't.
    ...(given && { stride: 3 }),
  };
}
