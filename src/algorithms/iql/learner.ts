import * as tf from "@tensorflow/tfjs-core";
import { createMlp } from "../../../policies/networks/mlp.ts";
import { deriveSeed, Random } from "../../../policies/random.ts";
import { type BatchAlgorithm, BatchLearner } from "../../learning/offline/batch-learner.ts";
import { createTwins } from "../../learning/offline/critic.ts";
import {
  createDeterministicActor,
  type DeterministicActor,
  type Given,
} from "../../learning/offline/deterministic-actor.ts";
import { type OfflineSite, rewardScaleOf } from "../../learning/offline/site.ts";
import { followSlowly, groupOf, Owner } from "../../learning/owner.ts";
import type { ParameterGroup } from "../../learning/owners.ts";
import { scheduleFactor } from "../../learning/schedule.ts";
import type { IqlSettings } from "./settings.ts";
import * as update from "./update.ts";

/** Added to the variance in layer norms, as ReBRAC has it. */
const layerNorm = { epsilon: 1e-6 };

/** IQL (Kostrikov, Nair and Levine, 2021). @throws LearningError `unbounded-action` */
export function createIql(settings: IqlSettings, site: OfflineSite, given?: Given): BatchLearner {
  const random = new Random(deriveSeed(site.seed, "weights"));
  const acting = createActor(settings, site, { random: random.uniform, given });
  const networks = createNetworks(settings, acting, { random: random.uniform, given });
  const { actor, logStd, value, critics, criticTargets } = networks;
  const noise = logStd ? [{ parameters: [{ name: "actor.log_std", value: logStd }] }] : [];
  const critic = groupOf("critic", "critic", critics);
  const criticTarget = groupOf("critic_target", "ema", criticTargets);
  const groups: readonly ParameterGroup[] = [
    groupOf("value", "value", [value]),
    critic,
    groupOf("actor", "actor", [actor, ...noise]),
    criticTarget,
  ];
  if (!given) followSlowly(criticTarget, critic, 1);
  const actorOwner = new Owner("actor", groups, { learningRate: settings.actor_learning_rate });
  const learn: BatchAlgorithm["learn"] = (batch, { number, progress, figures, step }) => {
    const before = tf.tidy(() => ({ ...update.before(networks, batch) }));
    const known = { before, settings, figures };
    step(update.valueUpdate, () => update.valueLoss(networks, batch, known));
    step(update.criticUpdate, () => update.criticLoss(networks, batch, known));
    followSlowly(criticTarget, critic, settings.tau);
    const over = settings.max_steps === null ? progress : (number - 1) / settings.max_steps;
    const rate = settings.actor_learning_rate * scheduleFactor("cosine", over, 0);
    actorOwner.learningRate = rate;
    figures.note("Loss/actor_learning_rate", () => tf.scalar(rate));
    step(update.actorUpdate, () => update.actorLoss(networks, batch, known));
    tf.dispose(before);
  };
  return new BatchLearner({
    groups,
    owners: [
      new Owner("value", groups, { learningRate: settings.value_learning_rate }),
      new Owner("critic", groups, { learningRate: settings.critic_learning_rate }),
      actorOwner,
    ],
    updates: [update.valueUpdate, update.criticUpdate, update.actorUpdate],
    losses: update.losses,
    policies: { student: acting.policy },
    ...{ view: acting.view, graph: acting.graph, random, learn },
  });
}

interface Source {
  readonly random: () => number;
  readonly given: Given | undefined;
}

function createActor(settings: IqlSettings, site: OfflineSite, { random, given }: Source) {
  return createDeterministicActor(site, {
    hidden: settings.actor_hidden_dims,
    normaliseStates: settings.normalize_states,
    rewardScale: settings.normalize_reward ? rewardScaleOf(site.returns) : 1,
    rewardShift: settings.reward_shift ?? 0,
    ...{ random, given, prefix: "actor.net.net" },
  });
}

function createNetworks(
  settings: IqlSettings,
  { network, view }: DeterministicActor,
  { random, given }: Source,
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
    logStd: settings.iql_deterministic ? undefined : createLogStd(actionWidth, given),
    value: createMlp({ ...shared, ...inputs, prefix: "vf.v.net" }),
    critics: createTwins(["qf.q1.net", "qf.q2.net"], options),
    criticTargets: createTwins(["q_target.q1.net", "q_target.q2.net"], options),
  };
}

function createLogStd(width: number, given: Given | undefined): tf.Variable {
  const initial = given?.weights["actor.log_std"]?.data ?? new Float32Array(width);
  return tf.tidy(() => tf.variable(tf.tensor1d(initial.slice())));
}
