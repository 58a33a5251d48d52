import * as tf from "@tensorflow/tfjs-core";
import type { Network } from "../../../policies/networks/network.ts";
import { deriveSeed, Random } from "../../../policies/random.ts";
import type { BatchAlgorithm } from "../../learning/offline/batch-algorithm.ts";
import { BatchLearner } from "../../learning/offline/batch-learner.ts";
import { beliefGroups } from "../../learning/offline/belief.ts";
import { createDeterministicActor } from "../../learning/offline/deterministic-actor.ts";
import { type Draw, drawingExplorer } from "../../learning/offline/drawing-policy.ts";
import {
  createLogStd,
  deviationsOf,
  negativeLogLikelihood,
} from "../../learning/offline/gaussian.ts";
import type { OfflineSite } from "../../learning/offline/site.ts";
import { createOwners, groupOf } from "../../learning/owner.ts";
import type { Update } from "../../learning/owners.ts";
import type { ReinforceSettings } from "./settings.ts";

const actorUpdate: Update = {
  ...{ name: "actor", owner: "actor", terms: ["actor"] },
  claims: { actor: "step" },
};

/**
 * REINFORCE (Williams, 1992): −mean A · log π(a | s), A the return from there on, standardised over the
 * batch. @throws LearningError `unbounded-action`
 */
export function createReinforce(settings: ReinforceSettings, site: OfflineSite): BatchLearner {
  const random = new Random(deriveSeed(site.seed, "weights"));
  const acting = createDeterministicActor(site, {
    hidden: settings.actor_hidden_dims,
    normaliseStates: settings.normalize_states,
    ...{ random: random.uniform, prefix: "actor.net" },
  });
  const { network, policy, graph } = acting;
  const logStd = createLogStd(new Float32Array(site.action.low.length));
  const noise = { parameters: [{ name: "actor.log_std", value: logStd }] };
  const groups = [groupOf("actor", "actor", [network, noise]), ...beliefGroups(site, ["actor"])];
  return new BatchLearner(
    {
      ...{ groups, graph, random, losses: ["actor"], updates: [actorUpdate] },
      owners: createOwners(groups, { actor: settings.learning_rate }),
      policies: { student: policy },
      explorer: drawingExplorer(site, { network, view: acting.view, begin: () => drawBy(logStd) }),
      view: { ...acting.view, rewardsToGo: settings.discount },
      learn: learnBy(network, logStd),
    },
    site,
  );
}

/** μ + σ ε. */
function drawBy(logStd: tf.Variable): Draw {
  const deviations = deviationsOf(logStd);
  return (means, component, normal) => means[component]! + deviations[component]! * normal;
}

function learnBy(network: Network, logStd: tf.Variable): BatchAlgorithm["learn"] {
  return ({ rewards: returns }, { figures, step }) => {
    const { mean, variance } = tf.moments(returns);
    const advantages = tf.div(tf.sub(returns, mean), tf.add(tf.sqrt(variance), 1e-6));
    step(actorUpdate, ({ observations, actions }) => {
      const distances = tf.squaredDifference(network.forward(observations, []).outputs, actions);
      const costs = tf.sum(negativeLogLikelihood(distances, logStd), 1);
      const loss = tf.mean(tf.mul(advantages, costs)) as tf.Scalar;
      figures.note("Loss/actor", loss);
      figures.note("Value/return_mean", mean);
      figures.note("Policy/action_mse", tf.mean(distances));
      figures.note("Policy/std", tf.mean(tf.exp(logStd)));
      return loss;
    });
  };
}
