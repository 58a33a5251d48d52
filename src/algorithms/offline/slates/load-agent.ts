import { PolicyError } from "../../../../policies/policy-error.ts";
import { Random } from "../../../../policies/random.ts";
import type { RankedPolicy } from "../../../../policies/rankers/ranked-policy.ts";
import type { Ranker } from "../../../../policies/rankers/ranker.ts";
import type { BatchLearner } from "../../../learning/offline/batch-learner.ts";
import { openRun } from "../../../runs/open-run.ts";
import { RunError } from "../../../runs/run-error.ts";
import type { SavedRun } from "../../algorithm.ts";
import { OneStagePlan } from "../one-stage-plan.ts";
import { readRun, studentOf } from "../run-checkpoint.ts";
import type { Agent, AgentConfig } from "./agent.ts";
import type { SavedRanked } from "./ranked-run.ts";

export interface LoadOptions {
  /** Instead of the ranker that the agent was trained with. */
  readonly ranker?: Ranker;
  /** Deviation of the noise of `select_action(state, false)`, in halves of the latents' range. Default: 0.1. */
  readonly noise?: number;
  /** Of that noise. Default: 0. */
  readonly seed?: number;
  /** Makes what trains it, from its checkpoint; absent, or undefined: it is frozen. */
  readonly revive?: ((saved: SavedRun) => Promise<BatchLearner | undefined>) | undefined;
}

/**
 * The agent of a run: its folder (the best student, else the last), a checkpoint in it, or a link to one. Start an
 * engine first.
 *
 *     await startEngine("cpu");
 *     const agent = await loadAgent("experiments/checkpoints/td3_bc_…/final");
 *     const latent = await agent.select_action(state, true);
 *
 * @throws RunError `no-slates-agent`; PolicyError `latent-width` with both widths where a ranker doesn't fit
 */
export async function loadAgent(path: string, options: LoadOptions = {}): Promise<Agent> {
  const found = await openRun(path, { prefer: "best" });
  const saved = await readRun(found.checkpoint);
  const { ranked } = saved.own;
  if (!ranked) throw notOfSlates(found.checkpoint);
  // Another ranker has other latents: what it learned of its own would be wrong there.
  const learner = options.ranker ? undefined : await options.revive?.(saved);
  const policy = (learner?.policies.student ??
    (await studentOf(saved, options.ranker))) as RankedPolicy;
  const config: AgentConfig = {
    agent: saved.own.algorithm,
    ...(learner && { needs: learner.needs }),
    stateWidth: policy.parts.agent.observationWidth,
    latentWidth: policy.parts.agent.actionWidth,
    ...{ ranker: policy.parts.ranker.get_config(), belief: policy.parts.belief.get_config() },
  };
  const random = new Random(options.seed ?? 0);
  const learning = () => learner ?? refuse(found.checkpoint);
  return {
    policy,
    select_action: async (state, deterministic = true) => {
      const latents = await latentsFor(policy, state);
      if (deterministic) return latents;
      return explored(latents, ranked, { noise: options.noise ?? 0.1, random });
    },
    train_step: async (batch) => learning().update(batch, stage),
    get_config: () => config,
    save: async () => learner?.save() ?? saved.state.learner,
    load: (state) => learning().load(state),
    dispose: () => {
      if (!learner) return policy.dispose();
      learner.dispose();
      policy.parts.ranker.dispose();
    },
  };
}

/** Somebody else's plan: it is at its beginning for good, so that no rate has run down. */
const { stage } = new OneStagePlan("offline", 1).at(0);

function refuse(path: string): never {
  throw new RunError(
    "frozen-agent",
    `The agent of ${path} can't learn: it acts through another ranker than its own, or its run's params/agent.yaml is not beside it`,
    "Load it from its run's folder, and with the ranker it was trained with.",
  );
}

async function latentsFor({ parts }: RankedPolicy, state: ArrayLike<number>) {
  const { agent } = parts;
  const width = agent.observationWidth;
  const rows = state.length / width;
  if (rows < 1 || !Number.isInteger(rows)) {
    throw new PolicyError(
      "state-width",
      `${state.length} numbers are no states of ${width}, which the agent takes`,
      "Give it what its belief's encode gives.",
    );
  }
  const observations = { [agent.reads[0]!]: Float32Array.from(state) };
  const started = new Uint8Array(rows);
  return (await agent.act({ observations, started }, [])).actions;
}

function explored(
  latents: Float32Array,
  { arrays }: SavedRanked,
  { noise, random }: { readonly noise: number; readonly random: Random },
): Float32Array {
  const [low, high] = [arrays.low!.data, arrays.high!.data];
  return latents.map((value, i) => {
    const k = i % low.length;
    const wanted = value + ((noise * (high[k]! - low[k]!)) / 2) * random.normal();
    return Math.min(high[k]!, Math.max(low[k]!, wanted));
  });
}

function notOfSlates(path: string): RunError {
  return new RunError(
    "no-slates-agent",
    `${path} acts in the simulator itself, through no ranker`,
    "Give a run of firstsolo train_agent; others are flown by firstsolo eval.",
  );
}
