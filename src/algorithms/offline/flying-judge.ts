import type { Policy } from "../../../policies/policy.ts";
import type { VectorEnv } from "../../../sim-adapters/vector-env.ts";
import { evaluate } from "../../running/evaluate.ts";
import type { Judge, Judgement } from "../../running/judge.ts";

export interface FlyingOptions {
  readonly env: VectorEnv;
  readonly student: Policy;
  /** Iterations between two flights. */
  readonly interval: number;
  /** Iterations of the run: it flies behind the last one in any case. */
  readonly iterations: number;
  /** Whole episodes of a flight, at least. */
  readonly episodes: number;
  /** Of the episodes, which are the same each time. */
  readonly seed: number;
  /** For the discounted return, which values are to be held against; absent: none. */
  readonly discount?: number | undefined;
  /** Called before a flight: whoever else flies in these environments has lost its episodes. */
  readonly onFlight?: (() => void) | undefined;
}

const nothing: Judgement = { metrics: {}, merit: Number.NaN };

/** Lets the student fly now and then: what recorded flights can't say. */
export class FlyingJudge implements Judge {
  readonly #options: FlyingOptions;

  constructor(options: FlyingOptions) {
    this.#options = options;
  }

  async assess(iteration: number): Promise<Judgement> {
    const { env, student, interval, iterations, episodes, seed, discount } = this.#options;
    const done = iteration + 1;
    if (done % interval !== 0 && done !== iterations) return nothing;
    this.#options.onFlight?.();
    const since = performance.now();
    const policies = { student };
    const flown = await evaluate({ env, policies, episodes, seed, ...(discount && { discount }) });
    const { meanReturn, deaths, discountedReturn, episodes: count } = flown.student!;
    return {
      merit: meanReturn,
      metrics: {
        "Eval/student_return": meanReturn,
        ...(discountedReturn === undefined ? {} : { "Eval/discounted_return": discountedReturn }),
        "Eval/death_share": deaths / count,
        "Perf/evaluation_time": (performance.now() - since) / 1000,
      },
    };
  }
}

/** Nobody flies anywhere: the last student is as good as any. */
export const noJudge: Judge = { assess: async () => nothing };
