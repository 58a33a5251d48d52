import * as tf from "@tensorflow/tfjs-core";
import { deriveSeed, Random } from "../../../policies/random.ts";
import type { BatchAlgorithm } from "../../learning/offline/batch-algorithm.ts";
import { BatchLearner } from "../../learning/offline/batch-learner.ts";
import { beliefGroups } from "../../learning/offline/belief.ts";
import { createTwins, layerNorm } from "../../learning/offline/critic.ts";
import { createDeterministicActor } from "../../learning/offline/deterministic-actor.ts";
import { drawingExplorer } from "../../learning/offline/drawing-policy.ts";
import { seededDraws } from "../../learning/offline/draws.ts";
import { type OfflineSite, rewardUnits } from "../../learning/offline/site.ts";
import { createOwners, followSlowly, groupOf } from "../../learning/owner.ts";
import type { SacSettings } from "./settings.ts";
import * as update from "./update.ts";

/** SAC (Haarnoja and others, 2018), its weight of entropy learned. @throws LearningError `unbounded-action` */
export function createSac(settings: SacSettings, site: OfflineSite): BatchLearner {
  const weights = new Random(deriveSeed(site.seed, "weights"));
  const random = new Random(deriveSeed(site.seed, "sac"));
  const acting = createActor(settings, site, weights);
  const { mlp, view, maxAction, graph } = acting;
  const networks = createNetworks(settings, view, weights);
  const actor = { network: mlp, multiplier: 1, offset: 0, maxAction };
  const { groups: own, follow } = groupsOf({ ...networks, actor });
  const groups = [...own, ...beliefGroups(site, ["critic", "actor"])];
  follow(1);
  const draws = seededDraws(random);
  const learn: BatchAlgorithm["learn"] = (_, { drawn, figures, step }) => {
    const all = { ...networks, actor };
    const known = (noise: tf.Tensor | undefined) => ({ noise: noise!, settings, figures });
    step(update.criticUpdate, (seen) => update.criticLoss(all, seen, known(drawn[0])));
    step(update.actorUpdate, (seen) => update.actorLoss(all, seen, known(drawn[1])));
    step(update.alphaUpdate, (seen) => update.alphaLoss(all, seen, known(drawn[1])));
    follow(settings.tau);
  };
  const { actor_learning_rate: slow, critic_learning_rate: critic } = settings;
  return new BatchLearner(
    {
      ...{ groups, view, graph, random, learn, losses: update.losses },
      owners: createOwners(groups, { critic, actor: slow, alpha: slow }),
      updates: [update.criticUpdate, update.actorUpdate, update.alphaUpdate],
      policies: { student: acting.policy },
      explorer: drawingExplorer(site, { network: mlp, view, begin: () => drawnBy }),
      critic: networks.critics[0],
      draw: ({ rows, actionWidth: width }) => [
        draws.normal([rows, width]),
        draws.normal([rows, width]),
      ],
    },
    site,
  );
}

/** tanh(μ + σ ε), as `sample` draws it. @param outputs means, then raw log-deviations */
function drawnBy(outputs: Float32Array, component: number, normal: number): number {
  const raw = outputs[outputs.length / 2 + component]!;
  const deviation = Math.exp(Math.min(2, Math.max(-20, raw)));
  return Math.tanh(outputs[component]! + deviation * normal);
}

function createActor(settings: SacSettings, site: OfflineSite, { uniform: random }: Random) {
  return createDeterministicActor(site, {
    hidden: settings.actor_hidden_dims,
    normaliseStates: settings.normalize_states,
    reward: rewardUnits(settings, site),
    ...{ outputsPerAction: 2, random, prefix: "actor" },
  });
}

function createNetworks(
  settings: SacSettings,
  { observationWidth, actionWidth }: BatchAlgorithm["view"],
  { uniform: random }: Random,
): Omit<update.SacNetworks, "actor"> {
  const options = {
    ...{ observationWidth, actionWidth, hidden: settings.critic_hidden_dims, random },
    layerNorm: settings.layer_norm ? layerNorm : undefined,
  };
  return {
    critics: createTwins(["critic_1", "critic_2"], options),
    criticTargets: createTwins(["critic_1_target", "critic_2_target"], options),
    logAlpha: tf.tidy(() => tf.variable(tf.zeros([1]))),
  };
}

function groupsOf({ actor, critics, criticTargets, logAlpha }: update.SacNetworks) {
  const critic = groupOf("critic", "critic", critics);
  const criticTarget = groupOf("critic_target", "ema", criticTargets);
  const alpha = { parameters: [{ name: "log_alpha", value: logAlpha }] };
  return {
    groups: [
      groupOf("actor", "actor", [actor.network]),
      ...[critic, criticTarget, groupOf("alpha", "alpha", [alpha])],
    ],
    follow: (rate: number) => followSlowly(criticTarget, critic, rate),
  };
}
