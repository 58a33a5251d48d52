import * as tf from "@tensorflow/tfjs-core";
import { deriveSeed, Random } from "../../../policies/random.ts";
import { LearningError } from "../../learning/learning-error.ts";
import { actorCriticGroups } from "../../learning/offline/actor-critic.ts";
import type { BatchAlgorithm } from "../../learning/offline/batch-algorithm.ts";
import { BatchLearner } from "../../learning/offline/batch-learner.ts";
import { layerNorm } from "../../learning/offline/critic.ts";
import { createDeterministicActor } from "../../learning/offline/deterministic-actor.ts";
import { seededDraws } from "../../learning/offline/draws.ts";
import { type OfflineSite, rangeOf, rewardUnits } from "../../learning/offline/site.ts";
import { criticUpdate } from "../../learning/offline/td3.ts";
import { createTd3Networks, td3Learner } from "../../learning/offline/td3-learner.ts";
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
  const acting = createActor(settings, site, weights);
  const library = libraryOf(settings, site);
  const networks = { ...createTd3Networks(acting, criticsOf(settings, weights)), library };
  const { all, follow } = actorCriticGroups(networks, site);
  const groups = [...all, libraryGroup(library, settings)];
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
  return new BatchLearner(
    {
      ...td3Learner({ acting, networks, groups, settings }),
      ...{ updates: [criticUpdate, update.actorUpdate], losses: update.losses },
      library: { actions: library, neighbours: settings.neighbours },
      form: (number) => [number % settings.policy_freq === 0],
      draw: ({ rows, actionWidth }) => [draws.normal([rows, actionWidth])],
      ...{ random, learn },
    },
    site,
  );
}

function createActor(
  settings: WolpertingerSettings,
  site: OfflineSite,
  { uniform: random }: Random,
) {
  return createDeterministicActor(site, {
    hidden: settings.actor_hidden_dims,
    normaliseStates: settings.normalize_states,
    reward: rewardUnits(settings, site),
    ...{ random, prefix: "actor.net" },
  });
}

function criticsOf(settings: WolpertingerSettings, { uniform: random }: Random) {
  return {
    hidden: settings.critic_hidden_dims,
    layerNorm: settings.layer_norm ? layerNorm : undefined,
    ...{ random, suffix: ".net" },
  };
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
