import { z } from "zod";
import { beliefKinds } from "../../../../policies/beliefs/belief.ts";
import { GruBelief } from "../../../../policies/beliefs/gru-belief.ts";
import { UserBelief } from "../../../../policies/beliefs/user-belief.ts";
import type { TorchValue } from "../../../../policies/checkpoint/torch-value.ts";
import type { NamedArrays } from "../../../../policies/named-array.ts";
import type { OutputRange } from "../../../../policies/networks/bounded.ts";
import type { NetworkPolicy } from "../../../../policies/networks/network-policy.ts";
import { chooseNearest } from "../../../../policies/rankers/nearest-latents.ts";
import { RankedPolicy } from "../../../../policies/rankers/ranked-policy.ts";
import type { Ranker } from "../../../../policies/rankers/ranker.ts";
import type { RecordedFlights } from "../../../datasets/recorded-flights.ts";
import { rangeOf } from "../../../learning/offline/site.ts";
import { arraysUnder } from "../../../learning/parameters.ts";
import { dictOf } from "../../saved-arrays.ts";
import { counter } from "../../saved-facts.ts";
import type { OfflineConfig } from "../keys.ts";
import { criticOf, restoredCritic } from "./critic.ts";
import { beliefConfig, type Ranked, rankedOf, turnNetworkOf } from "./ranked-site.ts";
import { rankerConfig, readRanker, restoredRanker } from "./ranker-file.ts";

const width = counter.min(1);

/** What a checkpoint's text says of ranker and belief. */
export const rankedFacts = z.object({
  ranker: rankerConfig,
  belief: z.object({
    belief: z.enum(beliefKinds),
    ...{ stateWidth: width, observationWidth: width, turns: width, hidden: counter },
  }),
  owner: z.enum(["critic", "actor"]).nullable(),
});

/** Of a checkpoint as it was read. */
export interface SavedRanked {
  readonly facts: z.output<typeof rankedFacts>;
  /** The ranker's. */
  readonly arrays: NamedArrays;
}

export function factsOf({ ranker, belief, owner }: Ranked): SavedRanked["facts"] {
  return { ranker: ranker.get_config(), belief, owner };
}

/** What `infos["firstsolo"]` holds of a ranker. */
export function rankedEntries(ranked: Ranked | undefined): Readonly<Record<string, TorchValue>> {
  return ranked ? { ranker: dictOf(ranked.arrays) } : {};
}

/** The ranker and belief of a run: its checkpoint's, where it goes on. Undefined where it has none. */
export async function rankedFor(
  config: OfflineConfig,
  saved: SavedRanked | undefined,
  { spec }: RecordedFlights,
): Promise<Ranked | undefined> {
  if (saved) return rankedIn(saved);
  const { ranker: path, belief } = config;
  if (!path || !belief) return undefined;
  const ranker = await readRanker(path);
  return rankedOf(ranker, beliefConfig(belief, spec.groups), belief.owner);
}

/** Of a checkpoint. */
export function rankedIn({ facts, arrays }: SavedRanked): Promise<Ranked> {
  const { ranker, belief, owner } = facts;
  return rankedOf(restoredRanker(ranker, arrays), belief, owner);
}

/**
 * Who flies a checkpoint: its belief, its agent and a ranker, its own where no other is given.
 *
 * @param learned the learner's arrays
 * @throws PolicyError `latent-width` with both widths where another ranker doesn't fit
 */
export function rankedPolicyOf(
  { facts, arrays }: SavedRanked,
  agent: NetworkPolicy,
  { learned, ranker }: { readonly learned: NamedArrays; readonly ranker?: Ranker },
): RankedPolicy {
  const own = ranker ?? restoredRanker(facts.ranker, arrays);
  const network = restoredCritic(arraysUnder("parameters/critic/", learned));
  const bounds = { low: Array.from(arrays.low!.data), high: Array.from(arrays.high!.data) };
  const critic = network && criticOf(network, bounds);
  const choose = choiceOf(learned, rangeOf(bounds));
  const belief = beliefOf({ facts, arrays }, learned);
  return new RankedPolicy({ belief, agent, ranker: own, critic, choose });
}

/** Of an agent that chooses among recorded latents: they are in its checkpoint. */
function choiceOf(learned: NamedArrays, range: OutputRange) {
  const library = learned["parameters/library/library.actions"];
  const count = learned["parameters/library/library.neighbours"]?.data[0];
  return library && count ? chooseNearest(library.data, range, count) : undefined;
}

function beliefOf({ facts: { belief }, arrays }: SavedRanked, learned: NamedArrays) {
  if (belief.belief === "user") return new UserBelief(belief);
  const weights = arraysUnder("parameters/belief/", learned);
  return new GruBelief(belief, turnNetworkOf(belief, arrays, { weights }).network);
}
