import * as tf from "@tensorflow/tfjs-core";
import { deriveSeed, Random } from "../../../policies/random.ts";
import { LearningError } from "../../learning/learning-error.ts";
import { actorCriticGroups } from "../../learning/offline/actor-critic.ts";
import type { BatchAlgorithm } from "../../learning/offline/batch-algorithm.ts";
import { BatchLearner } from "../../learning/offline/batch-learner.ts";
import { createTwins, layerNorm } from "../../learning/offline/critic.ts";
import {
  createDeterministicActor,
  type DeterministicActor,
} from "../../learning/offline/deterministic-actor.ts";
import { seededDraws } from "../../learning/offline/draws.ts";
import { type OfflineSite, rangeOf, rewardUnits } from "../../learning/offline/site.ts";
import { criticUpdate } from "../../learning/offline/td3.ts";
import { createOwners } from "../../learning/owner.ts";
import type { ParameterGroup } from "../../learning/owners.ts";
import type { WolpertingerSettings } from "./settings.ts";
import * as update from "./update.ts";

/** Wolpertinger (Dulac-Arnold and others, 2015) upon TD3. @throws LearningError `no-library` */
export function createWolpertinger(
  settings: WolpertingerSettings,
  site: OfflineSite,
): BatchLearner {
  const weights = new Random(deriveSeed(site.seed, "weights"));
  const random = new Random(deriveSeed(site.seed, "wolpertinger"));
  const acting = createDeterministicActor(site, {
    hidden: settings.actor_hidden_dims,
    normaliseStates: settings.normalize_states,
    reward: rewardUnits(settings, site),
    ...{ random: weights.uniform, prefix: "actor.net" },
  });
  const library = libraryOf(settings, site);
  const networks = createNetworks(settings, acting, { library, random: weights.uniform });
  const groups = actorCriticGroups(networks, site);
  const follow = (rate: number) => {
    groups.followCritic(rate);
    groups.followActor(rate);
  };
  follow(1);
  const draws = seededDraws(random);
  const learn: BatchAlgorithm["learn"] = (_, { drawn, form, figures, step }) => {
    const known = { noise: drawn[0]!, settings, figures };
    step(criticUpdate, (seen) => update.criticLoss(networks, seen, known));
    const [actorSteps] = form;
    if (!actorSteps) return;
    step(update.actorUpdate, (seen) => update.actorLoss(networks, seen, known));
    follow(settings.tau);
  };
  const { critic_learning_rate: critic, actor_learning_rate: actor } = settings;
  const all = [...groups.all, libraryGroup(library, settings)];
  return new BatchLearner(
    {
      ...{ groups: all, updates: [criticUpdate, update.actorUpdate], losses: update.losses },
      owners: createOwners(all, { critic, actor }),
      policies: { student: acting.policy },
      critic: networks.critics[0],
      library: { actions: library, neighbours: settings.neighbours },
      form: (number) => [number % settings.policy_freq === 0],
      stepping: ([actorSteps]) => (actorSteps ? ["critic", "actor"] : ["critic"]),
      draw: ({ rows, actionWidth }) => [draws.normal([rows, actionWidth])],
      ...{ view: acting.view, graph: acting.graph, random, learn },
    },
    site,
  );
}

/** All that flies beside the networks travels with them. */
function libraryGroup(library: tf.Variable, { neighbours }: WolpertingerSettings): ParameterGroup {
  const count = tf.tidy(() => tf.variable(tf.tensor1d([neighbours]), false));
  const parameters = [
    { name: "library.actions", value: library },
    { name: "library.neighbours", value: count },
  ];
  return { name: "library", owner: "frozen", parameters };
}

/** Recorded actions in ±1. */
function libraryOf({ library }: WolpertingerSettings, site: OfflineSite): tf.Variable {
  if (!site.drawActions || !site.surround) {
    throw new LearningError(
      "no-library",
      "wolpertinger chooses among recorded actions in a ranker's latent space, and there is no ranker.",
      "Name one: ranker=FILE, or use firstsolo train_agent; td3_bc and rebrac learn without.",
    );
  }
  const { center, half } = rangeOf(site.action);
  const width = center.length;
  const drawn = site.drawActions(library);
  const units = drawn.map((value, i) => {
    const unit = (value - center[i % width]!) / half[i % width]!;
    return Math.min(1, Math.max(-1, unit));
  });
  return tf.tidy(() => tf.variable(tf.tensor2d(units, [units.length / width, width]), false));
}

function createNetworks(
  settings: WolpertingerSettings,
  { network, another, view, maxAction }: DeterministicActor,
  { library, random }: { readonly library: tf.Variable; readonly random: () => number },
): update.WolpertingerNetworks {
  const { observationWidth, actionWidth } = view;
  const options = {
    ...{ observationWidth, actionWidth, hidden: settings.critic_hidden_dims, random },
    layerNorm: settings.layer_norm ? layerNorm : undefined,
  };
  return {
    ...{ actor: network, maxAction, library },
    actorTarget: another("actor_target.net"),
    critics: createTwins(["critic_1.net", "critic_2.net"], options),
    criticTargets: createTwins(["critic_1_target.net", "critic_2_target.net"], options),
  };
}
