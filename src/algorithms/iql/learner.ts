import { createMlp } from "../../../policies/networks/mlp.ts";
import { deriveSeed, Random } from "../../../policies/random.ts";
import type { BatchAlgorithm } from "../../learning/offline/batch-algorithm.ts";
import { BatchLearner } from "../../learning/offline/batch-learner.ts";
import { beliefGroups } from "../../learning/offline/belief.ts";
import { createTwins, layerNorm } from "../../learning/offline/critic.ts";
import {
  createDeterministicActor,
  type DeterministicActor,
  type Given,
  type WeightSource,
} from "../../learning/offline/deterministic-actor.ts";
import { createLogStd } from "../../learning/offline/gaussian.ts";
import { type OfflineSite, rewardUnits } from "../../learning/offline/site.ts";
import { createOwners, followSlowly, groupOf } from "../../learning/owner.ts";
import { scheduleFactor } from "../../learning/schedule.ts";
import type { IqlSettings } from "./settings.ts";
import * as update from "./update.ts";

/** IQL (Kostrikov, Nair and Levine, 2021). @throws LearningError `unbounded-action` */
export function createIql(settings: IqlSettings, site: OfflineSite, given?: Given): BatchLearner {
  const random = new Random(deriveSeed(site.seed, "weights"));
  const acting = createActor(settings, site, { random: random.uniform, given });
  const networks = createNetworks(settings, acting, { random: random.uniform, given });
  const { groups: own, follow } = groupsOf(networks);
  const groups = [...own, ...beliefGroups(site, ["value", "critic", "actor"])];
  if (!given) follow(1);
  const {
    actor_learning_rate: actor,
    critic_learning_rate: critic,
    value_learning_rate: value,
  } = settings;
  const owners = createOwners(groups, { value, critic, actor });
  const learn: BatchAlgorithm["learn"] = (batch, { figures, step }) => {
    const known = { before: update.before(networks, batch), settings, figures };
    step(update.valueUpdate, (seen) => update.valueLoss(networks, seen, known));
    step(update.criticUpdate, (seen) => update.criticLoss(networks, seen, known));
    follow(settings.tau);
    step(update.actorUpdate, (seen) => update.actorLoss(networks, seen, known));
  };
  const prepare: BatchAlgorithm["prepare"] = (number, progress) => {
    const rate = actor * factorAt(settings, { number, progress });
    owners.at(-1)!.learningRate = rate;
    return { "Loss/actor_learning_rate": rate };
  };
  return new BatchLearner(
    {
      ...{ groups, owners },
      updates: [update.valueUpdate, update.criticUpdate, update.actorUpdate],
      losses: update.losses,
      policies: { student: acting.policy },
      critic: networks.critics[0],
      ...{ view: acting.view, graph: acting.graph, random, prepare, learn },
    },
    site,
  );
}

/** lr (1 + cos(π (k − 1) / max_steps)) / 2 in update k: behind max_steps it rises again, as torch's does. */
function factorAt(
  { max_steps }: IqlSettings,
  { number, progress }: { readonly number: number; readonly progress: number },
): number {
  if (max_steps === null) return scheduleFactor("cosine", progress, 0);
  return (1 + Math.cos((Math.PI * (number - 1)) / max_steps)) / 2;
}

function groupsOf({ actor, logStd, value, critics, criticTargets }: update.IqlNetworks) {
  const noise = logStd ? [{ parameters: [{ name: "actor.log_std", value: logStd }] }] : [];
  const critic = groupOf("critic", "critic", critics);
  const criticTarget = groupOf("critic_target", "ema", criticTargets);
  const acts = groupOf("actor", "actor", [actor, ...noise]);
  return {
    groups: [groupOf("value", "value", [value]), critic, acts, criticTarget],
    follow: (rate: number) => followSlowly(criticTarget, critic, rate),
  };
}

function createActor(settings: IqlSettings, site: OfflineSite, { random, given }: WeightSource) {
  return createDeterministicActor(site, {
    hidden: settings.actor_hidden_dims,
    normaliseStates: settings.normalize_states,
    reward: rewardUnits(settings, site),
    ...{ random, given, prefix: "actor.net.net" },
  });
}

function createNetworks(
  settings: IqlSettings,
  { network, view }: DeterministicActor,
  { random, given }: WeightSource,
): update.IqlNetworks {
  const { observationWidth, actionWidth } = view;
  const shared = {
    hidden: settings.critic_hidden_dims,
    ...{ layerNorm: settings.layer_norm ? layerNorm : undefined, random },
    ...(given && { weights: given.weights }),
  };
  const options = { ...shared, observationWidth, actionWidth };
  const inputs = { inputWidth: observationWidth, outputWidth: 1, activation: "relu" };
  return {
    actor: network,
    logStd: settings.iql_deterministic
      ? undefined
      : createLogStd(given?.weights["actor.log_std"]?.data ?? new Float32Array(actionWidth)),
    value: createMlp({ ...shared, ...inputs, prefix: "vf.v.net" }),
    critics: createTwins(["qf.q1.net", "qf.q2.net"], options),
    criticTargets: createTwins(["q_target.q1.net", "q_target.q2.net"], options),
  };
}
