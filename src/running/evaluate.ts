import type { Memory, Policy } from "../../policies/policy.ts";
import type { Frame } from "../../protocol/frame.ts";
import { flownWhole } from "../../sim-adapters/env-revived.ts";
import type { EpisodeReport } from "../../sim-adapters/episode-report.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import { copyRows, refuseBrokenActions } from "./actions.ts";
import { type EnvSplit, evaluationSplit } from "./env-split.ts";
import { type PolicyFigures, Tally } from "./tally.ts";

export interface EvaluateOptions {
  readonly env: VectorEnv;
  /** By name; each flies an equal share of the environments. */
  readonly policies: Readonly<Record<string, Policy>>;
  /** At least so many whole episodes each. */
  readonly episodes: number;
  readonly seed: number;
  readonly stop?: AbortSignal;
  /** γ, for the discounted return. */
  readonly discount?: number;
  /** What the task tells of episodes besides their return. */
  readonly report?: EpisodeReport | undefined;
}

/** Figures by policy. */
export type Evaluation = Readonly<Record<string, PolicyFigures>>;

/**
 * How well policies fly, greedily, over whole episodes. Every environment gives the same number of whole
 * episodes, so that short ones (crashes) are not counted more often than they happen; the episode that a
 * reset started is not counted, as it may begin in the middle.
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const start = await options.env.reset(options.seed);
  // Lost on the way and back again, it begins anew: what was flown before is not comparable.
  return flownWhole((frame) => flown(options, frame), start, { onRevived: () => {} });
}

async function flown(options: EvaluateOptions, start: Frame): Promise<Evaluation> {
  const { env, policies, episodes, discount, report } = options;
  const split = evaluationSplit(env.spec.numEnvs, Object.keys(policies));
  const crew = new SideBySide(policies, split);
  const tally = new Tally(env.spec, split, { episodes, discount, report });
  let frame = start;
  while (!tally.complete) {
    options.stop?.throwIfAborted();
    const result = await env.step(await crew.act(frame));
    tally.record(result);
    frame = result.frame;
  }
  return tally.figures();
}

/** Each policy sees all rows, as its memory has a row for each, and flies its own. */
class SideBySide {
  readonly #policies: Readonly<Record<string, Policy>>;
  readonly #split: EnvSplit;
  readonly #memories: Record<string, Memory> = {};

  constructor(policies: Readonly<Record<string, Policy>>, split: EnvSplit) {
    this.#policies = policies;
    this.#split = split;
    for (const [name, policy] of Object.entries(policies)) {
      this.#memories[name] = policy.initialMemory(split.numEnvs);
    }
  }

  async act(frame: Frame): Promise<Float32Array> {
    const { numEnvs, evaluation } = this.#split;
    let actions: Float32Array | undefined;
    for (const [name, policy] of Object.entries(this.#policies)) {
      const flown = await policy.act(frame, this.#memories[name]!);
      this.#memories[name] = flown.memory;
      refuseBrokenActions(name, flown.actions);
      actions ??= flown.actions.slice();
      copyRows(flown.actions, actions, evaluation[name]!, numEnvs);
    }
    return actions!;
  }
}
