import type { Policy } from "../../../policies/policy.ts";
import { deriveSeed, Random } from "../../../policies/random.ts";
import type { RankedPolicy } from "../../../policies/rankers/ranked-policy.ts";
import type { VectorEnv } from "../../../sim-adapters/vector-env.ts";
import type { BatchLearner } from "../../learning/offline/batch-learner.ts";
import type { Actor } from "../../running/actor.ts";
import { Collector } from "../../running/collector.ts";
import { splitEnvs } from "../../running/env-split.ts";
import { EpisodeBook } from "../../running/episode-book.ts";
import { ExploringActor } from "../../running/exploring-actor.ts";
import { RunningError } from "../../running/running-error.ts";
import type { Site } from "../algorithm.ts";
import { flownToGo } from "./flown-to-go.ts";
import type { OfflineConfig } from "./keys.ts";
import type { MixedOptions } from "./mixed-source.ts";
import { ReplayBuffer } from "./replay-buffer.ts";
import { LatentActor } from "./slates/latent-actor.ts";
import { latentExperience, latentNeeds } from "./slates/latent-experience.ts";
import type { Ranked } from "./slates/ranked-site.ts";

interface Flying {
  readonly learner: Pick<BatchLearner, "needs" | "explorer">;
  /** The student as it flies. */
  readonly student: Policy;
  readonly ranked: Ranked | undefined;
}

/** The student's own flights beside the recorded ones, where a share of them is wanted. @throws RunningError */
export function onlineOf(
  { config, env, record }: Site<OfflineConfig>,
  flying: Flying,
): Omit<MixedOptions, "recorded"> | undefined {
  const { learner, ranked } = flying;
  const { online_share: share = 0, seed } = config;
  if (share === 0) return undefined;
  if (!env) throw nowhereToFly(share);
  const random = (purpose: string) => new Random(deriveSeed(seed, purpose));
  const split = splitEnvs(env.spec.numEnvs, 0, ["student"]);
  const turns = ranked?.belief.belief === "gru" ? ranked.belief.turns : undefined;
  // Next actions are those of the following step: nobody notes them.
  const needs = ranked ? latentNeeds(turns) : { ...learner.needs, notes: [] };
  const { rewardsToGo } = learner.needs;
  const { steps, kept } = roomFor(config, env, rewardsToGo !== undefined);
  if (steps < 2 && learner.needs.notes.includes("next_actions")) throw nothingFollows(config);
  return {
    share,
    buffer: new ReplayBuffer(kept, random("online draws")),
    fresh: new Collector({
      ...{ env, split, record, needs, steps },
      actor: actorOf(config, { ...flying, env, turns }),
      book: new EpisodeBook(split, 1),
      seed: deriveSeed(seed, "online"),
    }),
    seen: (flown) => {
      const seen = ranked ? latentExperience(flown, turns) : flown;
      return rewardsToGo === undefined ? seen : flownToGo(seen, rewardsToGo);
    },
  };
}

/** Who sums rewards up to the end learns from whole episodes, and from the newest alone: older ones are not its own. */
function roomFor(
  { online_steps = 1, online_buffer = 1 }: OfflineConfig,
  { spec: { maxEpisodeSteps, numEnvs } }: VectorEnv,
  summed: boolean,
): { readonly steps: number; readonly kept: number } {
  if (!summed) return { steps: online_steps, kept: online_buffer };
  const steps = Math.max(online_steps, maxEpisodeSteps);
  return { steps, kept: steps * numEnvs };
}

interface Around extends Flying {
  readonly env: VectorEnv;
  readonly turns: number | undefined;
}

/** Who explores: the student with noise, or as its algorithm draws. */
function actorOf(
  { online_noise, seed }: OfflineConfig,
  { env, learner, student: greedy, ranked, turns }: Around,
): Actor {
  const { numEnvs, action } = env.spec;
  // One for both, as it is kept with the actor.
  const random = new Random(deriveSeed(seed, "online noise"));
  const drawing = learner.explorer?.(random);
  const student = drawing ?? greedy;
  const noise = drawing ? 0 : (online_noise ?? 0);

  if (!ranked) return new ExploringActor({ student, action, numEnvs, noise, random });
  const { bounds } = ranked;
  return new LatentActor({
    student: student as RankedPolicy,
    bounds,
    turns,
    numEnvs,
    noise,
    random,
  });
}

/** Of a single step it is never known what was done behind it: nothing of one's own would ever be learned from. */
function nothingFollows({ online_steps, algorithm }: OfflineConfig): RunningError {
  return new RunningError(
    "nothing-follows",
    `online_steps is ${online_steps}: ${algorithm.class_name} learns from the action that follows a step; expected at least 2 steps in a row.`,
    "Fly longer in each iteration: --online_steps 20.",
  );
}

function nowhereToFly(share: number): RunningError {
  return new RunningError(
    "nowhere-to-fly",
    `online_share is ${share}: the student is to fly itself, and there is no simulator.`,
    "Name a task or a simulator (--task, --sim), or learn from recorded flights alone: --online_share 0.",
  );
}
