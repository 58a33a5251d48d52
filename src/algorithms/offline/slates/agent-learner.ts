import { checkOwnExample } from "../../../../policies/checkpoint/load-teacher.ts";
import type { NetworkPolicy } from "../../../../policies/networks/network-policy.ts";
import type { RankedPolicy } from "../../../../policies/rankers/ranked-policy.ts";
import type { Compile } from "../../../engine/compile/program.ts";
import type { BatchLearner } from "../../../learning/offline/batch-learner.ts";
import { type OfflineSite, rangeOf } from "../../../learning/offline/site.ts";
import type { SavedRun } from "../../algorithm.ts";
import type { LearnerMaker, OfflineConfig } from "../keys.ts";
import type { SavedPolicy } from "../run-checkpoint.ts";
import { HISTORY, USER } from "./groups.ts";
import { rankedIn } from "./ranked-run.ts";
import { type Ranked, rankedSite } from "./ranked-site.ts";

export interface AgentLearnerOptions {
  /** Of the run: how its networks are built and stepped. */
  readonly config: OfflineConfig;
  readonly maker: LearnerMaker;
  readonly compile?: Compile;
}

/**
 * The learner of an agent's checkpoint, where it was when that was written: without its data, to go on with batches
 * that somebody else gives.
 *
 * @throws RunError, LearningError where checkpoint and configuration are not of one run
 */
export async function agentLearner(
  saved: SavedRun,
  { config, maker, compile }: AgentLearnerOptions,
): Promise<BatchLearner> {
  const { file, ranked: kept } = saved.own as SavedPolicy;
  const { arrays } = saved.state.learner;
  const ranked = await rankedIn(kept!);
  const known = arrays["parameters/library/library.actions"]?.data;
  const site = { ...siteOf(ranked, known), seed: config.seed, ...(compile && { compile }) };
  const learner = await maker.create(config, rankedSite(site, ranked));
  learner.load(saved.state.learner);
  const { parts } = learner.policies.student as RankedPolicy;
  await checkOwnExample(parts.agent as NetworkPolicy, file, "actor", saved.path);
  return learner;
}

/** What its data said is in the checkpoint: statistics and units of rewards are loaded with the rest. */
function siteOf(
  { belief, bounds, ranker }: Ranked,
  library: ArrayLike<number> | undefined,
): Omit<OfflineSite, "seed"> {
  const remembers = belief.belief === "gru";
  const group = remembers ? HISTORY : USER;
  const width = remembers ? belief.turns * ranker.get_config().slots : belief.stateWidth;
  const action = { low: Array.from(bounds.low), high: Array.from(bounds.high) };
  return {
    ...{ reads: [group], observationWidth: width, shapes: { [group]: [width] }, action },
    ...(library && { drawActions: () => inUnits(library, action) }),
  };
}

/** @param library recorded latents in ±1 */
function inUnits(library: ArrayLike<number>, action: OfflineSite["action"]): Float32Array {
  const { center, half } = rangeOf(action);
  return Float32Array.from(library, (unit, i) => {
    const column = i % center.length;
    return center[column]! + half[column]! * unit;
  });
}
