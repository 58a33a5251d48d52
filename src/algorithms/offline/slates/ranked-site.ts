import * as tf from "@tensorflow/tfjs-core";
import type { BeliefConfig, BeliefEncoder } from "../../../../policies/beliefs/belief.ts";
import { GruBelief } from "../../../../policies/beliefs/gru-belief.ts";
import { UserBelief } from "../../../../policies/beliefs/user-belief.ts";
import type { NamedArrays } from "../../../../policies/named-array.ts";
import type { Network } from "../../../../policies/networks/network.ts";
import { createTurnNetwork } from "../../../../policies/networks/turn-network.ts";
import { deriveSeed, Random } from "../../../../policies/random.ts";
import { chooseNearest } from "../../../../policies/rankers/nearest-latents.ts";
import { RankedPolicy } from "../../../../policies/rankers/ranked-policy.ts";
import type { Ranker } from "../../../../policies/rankers/ranker.ts";
import { boundsIn, type LatentBounds } from "../../../../policies/rankers/ranker-arrays.ts";
import type { RecordedFlights } from "../../../datasets/recorded-flights.ts";
import { type OfflineSite, rangeOf } from "../../../learning/offline/site.ts";
import type { TrainedBelief } from "../../../learning/offline/trained-belief.ts";
import { RunError } from "../../../runs/run-error.ts";
import { criticOf } from "./critic.ts";
import { HISTORY, SEEN, USER } from "./groups.ts";
import { latentFlights } from "./latent-flights.ts";
import { slotsOf } from "./recorded-turns.ts";

/** A ranker, and a belief before the learner: what a run on slates has besides others. */
export interface Ranked {
  readonly ranker: Ranker;
  /** As they were read. */
  readonly arrays: NamedArrays;
  readonly bounds: LatentBounds;
  readonly belief: BeliefConfig;
  readonly owner: TrainedBelief["owner"];
}

/** The flights as a learner of latents sees them. @throws RunError `no-slates`, `other-slates`, `no-user` */
export function asLatents(flights: RecordedFlights, ranked: Ranked): RecordedFlights {
  const { ranker, bounds, belief } = ranked;
  const slots = slotsOf(flights);
  const { slots: own, ranker: name } = ranker.get_config();
  if (slots !== own) {
    throw new RunError(
      "other-slates",
      `${flights.path} holds slates of ${slots} items, the ranker ${name} makes slates of ${own}`,
      "Train a ranker on these flights: firstsolo train_ranker.",
    );
  }
  if (belief.belief === "user" && !flights.spec.groups[USER]) {
    throw new RunError(
      "no-user",
      `${flights.path} has no observation group '${USER}'; it has: ${Object.keys(flights.spec.groups).join(", ")}`,
      "Take --belief gru, or record the flights again with what nobody sees.",
    );
  }
  const turns = belief.belief === "gru" ? belief.turns : undefined;
  return latentFlights(flights, { ranker, bounds, turns });
}

/** The place of the learner: what is recorded goes through a belief, what it does through the ranker. */
export function rankedSite(site: OfflineSite, ranked: Ranked): OfflineSite {
  const { belief: config, owner, ranker, arrays } = ranked;
  if (config.belief === "user") {
    const belief = new UserBelief(config);
    return { ...site, surround: surround({ belief, ranker, action: site.action }) };
  }
  const { uniform: random } = new Random(deriveSeed(site.seed, "belief"));
  const { network, items } = turnNetworkOf(config, arrays, { random });
  const belief = new GruBelief(config, network);
  const constants = [{ name: "items", value: items }];
  return {
    ...site,
    observationWidth: config.stateWidth,
    shapes: { [HISTORY]: [config.stateWidth] },
    statistics: undefined,
    belief: { network, constants, owner },
    surround: surround({ belief, ranker, action: site.action }),
  };
}

interface Around {
  readonly belief: BeliefEncoder;
  readonly ranker: Ranker;
  readonly action: OfflineSite["action"];
}

function surround({ belief, ranker, action }: Around): NonNullable<OfflineSite["surround"]> {
  return (agent, { critic, library }) => {
    const valued = critic && criticOf(critic, action);
    if (!library) return new RankedPolicy({ belief, agent, ranker, critic: valued });
    const known = (library.actions.dataSync() as Float32Array).slice();
    const choose = chooseNearest(known, rangeOf(action), library.neighbours);
    return new RankedPolicy({ belief, agent, ranker, critic: valued, choose });
  };
}

/** @param arrays of the ranker: whose items the turns are made of */
export function turnNetworkOf(
  { turns, hidden, stateWidth, observationWidth }: BeliefConfig,
  { items }: NamedArrays,
  given: { readonly random?: () => number; readonly weights?: NamedArrays },
): { readonly network: Network; readonly items: tf.Variable } {
  const table = tf.tidy(() =>
    tf.variable(tf.tensor(items!.data.slice(), [...items!.shape]), false),
  );
  const slots = observationWidth / 2;
  const made = { turns, hidden, stateWidth, slots, items: table };
  return { network: createTurnNetwork({ ...made, ...given }), items: table };
}

export interface BeliefSettings {
  readonly encoder: BeliefConfig["belief"];
  readonly turns: number;
  readonly hidden_dim: number;
  readonly state_dim: number;
}

/** @param widths of the data's observation groups */
export function beliefConfig(
  { encoder, turns, hidden_dim: hidden, state_dim: stateWidth }: BeliefSettings,
  widths: Readonly<Record<string, { readonly width: number }>>,
): BeliefConfig {
  const seen = widths[SEEN]?.width ?? 0;
  if (encoder === "gru") {
    return { belief: "gru", stateWidth, observationWidth: seen, turns, hidden };
  }
  const width = widths[USER]?.width ?? 0;
  return { belief: "user", stateWidth: width, observationWidth: width, turns: 1, hidden: 0 };
}

export async function rankedOf(
  ranker: Ranker,
  belief: BeliefConfig,
  owner: TrainedBelief["owner"],
): Promise<Ranked> {
  const arrays = await ranker.save();
  const bounds = boundsIn(arrays, ranker.get_config().latentWidth);
  return { ranker, arrays, bounds, belief, owner };
}
