import type { Policy } from "../../policies/policy.ts";
import { deriveSeed } from "../../policies/random.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import type { ActingChoice, Algorithm } from "../algorithms/algorithm.ts";
import { type Evaluation, evaluate } from "../running/evaluate.ts";

export interface EvaluateRunOptions {
  readonly algorithm: Algorithm;
  readonly env: VectorEnv;
  readonly episodes: number;
  /** The run's; the episodes are drawn from a seed of their own. */
  readonly seed: number;
  readonly stop?: AbortSignal;
  /** How the policies act, where the algorithm leaves a choice. */
  readonly acting?: ActingChoice;
}

/** Flies the policies of a checkpoint: the same figures for the same seed and number of environments. */
export async function evaluateRun(path: string, options: EvaluateRunOptions): Promise<Evaluation> {
  const { algorithm, env, acting } = options;
  const policies = await algorithm.policies(await algorithm.read(path), env.spec, acting);
  return flySideBySide(policies, "evaluation", options);
}

/** Flies the students of two checkpoints side by side, in episodes that no evaluation uses: their mean returns. */
export async function compareStudents(
  paths: readonly [string, string],
  options: EvaluateRunOptions,
): Promise<readonly [number, number]> {
  const [first, second] = await Promise.all(paths.map((path) => studentAt(path, options)));
  const policies = { first: first!, second: second! };
  const flown = await flySideBySide(policies, "selection", options);
  return [flown.first!.meanReturn, flown.second!.meanReturn];
}

async function studentAt(path: string, { algorithm, env }: EvaluateRunOptions): Promise<Policy> {
  const policies = await algorithm.policies(await algorithm.read(path), env.spec);
  for (const [name, policy] of Object.entries(policies)) if (name !== "student") policy.dispose();
  return policies.student!;
}

/** @param purpose draws the episodes; the policies are disposed of. */
async function flySideBySide(
  policies: Readonly<Record<string, Policy>>,
  purpose: string,
  { env, episodes, seed, stop }: EvaluateRunOptions,
): Promise<Evaluation> {
  try {
    const options = { env, policies, episodes, seed: deriveSeed(seed, purpose) };
    return await evaluate({ ...options, ...(stop ? { stop } : {}) });
  } finally {
    for (const policy of Object.values(policies)) policy.dispose();
  }
}
