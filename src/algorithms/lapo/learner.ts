import type * as tf from "@tensorflow/tfjs-core";
import { elementsOf } from "../../../policies/named-array.ts";
import { isPictureGroup } from "../../../policies/networks/cnn/shapes.ts";
import { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import { Normaliser, type NormaliserState } from "../../../policies/networks/normaliser.ts";
import { deriveSeed, Random } from "../../../policies/random.ts";
import type { BatchAlgorithm } from "../../learning/offline/batch-algorithm.ts";
import { BatchLearner } from "../../learning/offline/batch-learner.ts";
import type { WeightSource } from "../../learning/offline/deterministic-actor.ts";
import { type GivenDraws, seededDraws } from "../../learning/offline/draws.ts";
import { type OfflineSite, rangeOf, rewardUnits } from "../../learning/offline/site.ts";
import type { TransitionView } from "../../learning/offline/transitions.ts";
import { followSlowly, groupOf, Owner } from "../../learning/owner.ts";
import type { ParameterGroup } from "../../learning/owners.ts";
import {
  type ActionStatistics,
  createActionStatistics,
  createParts,
  EPSILON,
  groupsOf as observationGroups,
  sizesOf,
  visionOf,
} from "./networks.ts";
import { encoderGroup, updatesOf } from "./ownership.ts";
import { type Flown, flyingNetwork, graphOf, standardised } from "./policy.ts";
import type { LapoSettings } from "./settings.ts";
import * as update from "./update.ts";

/** LAPO (Chen and others, 2022). @throws LearningError `unbounded-action`, `no-encoder` */
export function createLapo(
  asked: LapoSettings,
  site: OfflineSite,
  given?: GivenDraws,
): BatchLearner {
  rangeOf(site.action);
  const vision = visionOf(site);
  const settings = { ...asked, kl_beta: asked.kl_beta ?? (vision ? 0.5 : 1) };
  const weights = new Random(deriveSeed(site.seed, "weights"));
  const random = new Random(deriveSeed(site.seed, "lapo"));
  const networks = createNetworks(settings, site, { random: weights.uniform, given });
  const statistics = given ? undefined : createActionStatistics(site);
  const { groups, follow } = groupsOf(settings, networks, statistics);
  if (!given) follow(1);
  const updates = updatesOf(networks.online.encoder && settings.encoder_owner);
  const draws = given?.draws ?? seededDraws(random);
  const bounds = boundsOf(settings, site);
  const learn: BatchAlgorithm["learn"] = (recorded, { drawn, figures, step }) => {
    const batch = standardised(recorded, statistics, site.action);
    const pair = drawn as [tf.Tensor, tf.Tensor];
    const known = { batch, drawn: pair, settings, bounds, figures };
    step(updates.critic, () => update.criticLoss(networks, known));
    step(updates.vae, () => update.vaeLoss(networks, known));
    step(updates.actor, () => update.actorLoss(networks, known));
    follow(settings.tau);
  };
  const flown = { parts: networks.online, statistics, action: site.action, settings, vision };
  const { latentWidth } = sizesOf(settings, site);
  return new BatchLearner(
    {
      ...flightOf(flown, viewOf(settings, site)),
      ...{ groups, owners: ownersOf(settings, groups), random, learn },
      updates: [updates.critic, updates.vae, updates.actor],
      losses: ["q1", "q2", "v", "vae", "actor"],
      draw: ({ rows }) => [draws.normal([rows, latentWidth]), draws.normal([rows, latentWidth])],
    },
    { compile: site.compile },
  );
}

function createNetworks(
  settings: LapoSettings,
  site: OfflineSite,
  source: WeightSource,
): update.LapoNetworks {
  return {
    online: createParts(settings, site, { ...source, slow: false }),
    slow: createParts(settings, site, { ...source, slow: true }),
  };
}

/** Who flies, and what an export has of it. */
function flightOf(flown: Flown, view: TransitionView) {
  const { normaliser, reads } = view;
  const student = new NetworkPolicy({ network: flyingNetwork(flown), normaliser, reads });
  return { view, policies: { student }, graph: () => graphOf(flown, view) };
}

function viewOf(settings: LapoSettings, site: OfflineSite): TransitionView {
  const { reads, observationWidth, action } = site;
  return {
    ...{ reads, observationWidth, actionWidth: action.low.length },
    normaliser: settings.normalize_states
      ? new Normaliser(observationWidth, standardStates(site))
      : undefined,
    reward: rewardUnits(settings, site),
  };
}

/**
 * A component that never moves is shifted only: what it does in flight would be blown up a million times.
 * Pictures stay as they are: the network scales them.
 */
function standardStates(site: OfflineSite): NormaliserState {
  const none = new Float32Array(site.observationWidth);
  const { count, ...known } = site.statistics ?? { mean: none, std: none, count: 0 };
  const mean = Float32Array.from(known.mean);
  const std = Float32Array.from(known.std, (value) => (value > 0 ? value : 1));
  let from = 0;
  for (const group of observationGroups(site)) {
    const to = from + elementsOf(group.shape);
    if (isPictureGroup(group)) {
      mean.fill(0, from, to);
      std.fill(1, from, to);
    }
    from = to;
  }
  return { mean, std, variance: std.map((s) => s * s), count, epsilon: EPSILON };
}

/** No value is beyond the sum of endless best, or worst, rewards; an early end may make it a single one. */
function boundsOf(settings: LapoSettings, site: OfflineSite): update.Known["bounds"] {
  const { scale, shift } = rewardUnits(settings, site);
  const { least = -Infinity, most = Infinity } = site.rewards ?? {};
  const [low, high] = [least * scale + shift, most * scale + shift];
  const endless = (reward: number) => reward / (1 - settings.discount);
  return {
    least: settings.min_v ?? Math.min(low, endless(low)),
    most: settings.max_v ?? Math.max(high, endless(high)),
  };
}

function groupsOf(
  { encoder_owner: owner }: LapoSettings,
  { online, slow }: update.LapoNetworks,
  statistics: ActionStatistics | undefined,
) {
  const pairs = [
    groupsPair("critic", [...online.critics, online.value], [...slow.critics, slow.value]),
    groupsPair("vae", [online.vae], [slow.vae]),
    groupsPair("actor", [online.actor], [slow.actor]),
  ];
  if (online.encoder && slow.encoder) {
    const copy = groupOf("encoder_target", owner === "none" ? "frozen" : "ema", [slow.encoder]);
    pairs.unshift({ own: encoderGroup(online.encoder.parameters, owner), copy });
  }
  const scale = statistics && {
    ...{ name: "action_statistics", owner: "frozen" },
    parameters: [
      { name: "actions.mean", value: statistics.mean },
      { name: "actions.std", value: statistics.std },
    ],
  };
  return {
    groups: [...pairs.flatMap(({ own, copy }) => [own, copy]), ...(scale ? [scale] : [])],
    follow: (rate: number) => {
      for (const { own, copy } of pairs) {
        if (copy.owner === "ema" || rate === 1) followSlowly(copy, own, rate);
      }
    },
  };
}

function groupsPair(
  name: string,
  networks: readonly Pick<ParameterGroup, "parameters">[],
  copies: readonly Pick<ParameterGroup, "parameters">[],
) {
  return { own: groupOf(name, name, networks), copy: groupOf(`${name}_target`, "ema", copies) };
}

function ownersOf(settings: LapoSettings, groups: readonly ParameterGroup[]): readonly Owner[] {
  const { critic_lr, vae_lr, actor_lr, encoder_lr_scale } = settings;
  const rateScales = { encoder: encoder_lr_scale };
  return [
    new Owner("critic", groups, { learningRate: critic_lr, rateScales }),
    new Owner("vae", groups, { learningRate: vae_lr, rateScales }),
    new Owner("actor", groups, { learningRate: actor_lr }),
  ];
}
