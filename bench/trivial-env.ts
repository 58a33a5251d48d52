import type { Frame, StepResult } from "../protocol/frame.ts";
import type { EnvSpec } from "../protocol/spec.ts";
import type { ServedEnv } from "../sim-adapters/serve/serve-env.ts";

/** Numbers per environment that travel: there, and back in two groups. */
export const widths = { action: 4, group: 12 } as const;

/** As many numbers as the noisy quadcopter's, and no work behind them: what is left is the wire. */
export class TrivialEnv implements ServedEnv {
  readonly spec: EnvSpec;
  readonly settings = {};
  readonly notices: readonly string[] = [];
  readonly #result: StepResult;

  constructor(numEnvs: number) {
    const group = { dtype: "<f4", shape: [widths.group] } as const;
    const bound = (value: number) => new Array<number>(widths.action).fill(value);
    this.spec = {
      task: "trivial",
      numEnvs,
      controlPeriod: 0.02,
      maxEpisodeSteps: 500,
      autoreset: "same_step",
      observations: { policy: group, teacher: group },
      action: { dtype: "<f4", shape: [widths.action], low: bound(-1), high: bound(1) },
      capabilities: [],
    };
    const observations = {
      policy: new Float32Array(numEnvs * widths.group).fill(0.5),
      teacher: new Float32Array(numEnvs * widths.group).fill(0.25),
    };
    this.#result = {
      frame: { observations, started: new Uint8Array(numEnvs) },
      rewards: new Float32Array(numEnvs),
      terminated: new Uint8Array(numEnvs),
      truncated: new Uint8Array(numEnvs),
    };
  }

  async reset(): Promise<Frame> {
    return { ...this.#result.frame, started: new Uint8Array(this.spec.numEnvs).fill(1) };
  }

  async step(): Promise<StepResult> {
    return this.#result;
  }

  async close(): Promise<void> {}
}
