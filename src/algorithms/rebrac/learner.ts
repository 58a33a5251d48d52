import { deriveSeed, Random } from "../../../policies/random.ts";
import { actorCriticGroups } from "../../learning/offline/actor-critic.ts";
import type { BatchAlgorithm } from "../../learning/offline/batch-algorithm.ts";
import { BatchLearner } from "../../learning/offline/batch-learner.ts";
import { createTwins } from "../../learning/offline/critic.ts";
import {
  createDeterministicActor,
  type DeterministicActor,
  type WeightSource,
} from "../../learning/offline/deterministic-actor.ts";
import { type GivenDraws, seededDraws } from "../../learning/offline/draws.ts";
import { smallLast } from "../../learning/offline/initialisers.ts";
import { type OfflineSite, rewardUnits } from "../../learning/offline/site.ts";
import { actorUpdate, criticUpdate, losses, type Td3Networks } from "../../learning/offline/td3.ts";
import { createOwners } from "../../learning/owner.ts";
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
  const acting = createActor(settings, site, { random: weights.uniform, given });
  const networks = createNetworks(settings, acting, { random: weights.uniform, given });
  const groups = actorCriticGroups(networks, site);
  if (!given) groups.followCritic(1);
  if (!given) groups.followActor(1);
  const draws = given?.draws ?? seededDraws(random);
  const learn: BatchAlgorithm["learn"] = (batch, { drawn, form, figures, step }) => {
    const [noise, anywhere] = drawn;
    const known = { noise: noise!, settings, figures };
    step(criticUpdate, (seen) => update.criticLoss(networks, seen, known));
    const [actorSteps] = form;
    if (!actorSteps) return;
    figures.note("Policy/random_squared_distance", update.randomDistance(anywhere!, batch));
    // The actor's copy lags one step: it follows the actor as it was before this one.
    groups.followActor(settings.tau);
    step(actorUpdate, (seen) => update.actorLoss(networks, seen, known));
    groups.followCritic(settings.tau);
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
      view: { ...acting.view, nextActions: true },
      form: (number) => [(number - 1) % settings.policy_freq === 0],
      stepping: ([actorSteps]) => (actorSteps ? ["critic", "actor"] : ["critic"]),
      draw: ({ rows, actionWidth }, [actorSteps]) => {
        const shape = [rows, actionWidth];
        return actorSteps ? [draws.normal(shape), draws.uniform(shape)] : [draws.normal(shape)];
      },
      ...{ graph: acting.graph, random, learn },
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

function createNetworks(
  settings: RebracSettings,
  { network, another, view, maxAction }: DeterministicActor,
  { random, given }: WeightSource,
): Td3Networks {
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
