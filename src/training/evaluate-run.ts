import type { Policy } from "../../policies/policy.ts";
import { deriveSeed, Random } from "../../policies/random.ts";
import { nearest } from "../../protocol/nearest.ts";
import { reportFor } from "../../sim-adapters/built-in.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import type { ActingChoice, Algorithm, SavedRun } from "../algorithms/algorithm.ts";
import { compiledPolicy } from "../learning/compiled-policies.ts";
import { type Evaluation, evaluate } from "../running/evaluate.ts";
import { RunningError } from "../running/running-error.ts";
import { withShuffledGroup } from "../running/shuffled-group.ts";

export interface EvaluateRunOptions {
  readonly algorithm: Algorithm;
  readonly env: VectorEnv;
  readonly episodes: number;
  /** The run's; the episodes are drawn from a seed of their own. */
  readonly seed: number;
  readonly stop?: AbortSignal;
  /** How the policies act, where the algorithm leaves a choice. */
  readonly acting?: ActingChoice;
  /** Flies the student once more, as `shuffled`, with the rows of this observation group in another order. */
  readonly shuffle?: string | undefined;
  /** Flown beside the run's own policies, in the teacher's place; disposed of with them. */
  readonly against?: Policy | undefined;
}

/** Flies the policies of a checkpoint: the same figures for the same seed and number of environments. */
export async function evaluateRun(path: string, options: EvaluateRunOptions): Promise<Evaluation> {
  const { algorithm, env, acting, shuffle, seed } = options;
  const own = await algorithm.policies(await algorithm.read(path), env.spec, acting);
  const policies = options.against ? beside(own, options.against) : own;
  if (shuffle === undefined) return flySideBySide(policies, "evaluation", options);
  const student = policies.student!;
  if (!student.reads.includes(shuffle)) {
    for (const policy of Object.values(policies)) policy.dispose();
    throw notRead(shuffle, student.reads);
  }
  const random = new Random(deriveSeed(seed, "shuffle"));
  const seeing = compiledPolicy(student, acting?.compile);
  const crew = {
    ...policies,
    student: seeing,
    shuffled: withShuffledGroup(seeing, shuffle, random),
  };
  try {
    return await flySideBySide(crew, "evaluation", options);
  } finally {
    student.dispose();
  }
}

function beside({ student, teacher }: Readonly<Record<string, Policy>>, against: Policy) {
  teacher?.dispose();
  return { student: student!, teacher: against };
}

function notRead(group: string, reads: readonly string[]): RunningError {
  return new RunningError(
    "unknown-group",
    `The student does not read the observation group '${group}', but ${reads.join(", ")}.`,
    `Shuffle one of those: --shuffle_group ${nearest(group, reads, { within: Infinity })}.`,
  );
}

/** Flies the students of two checkpoints side by side, in episodes that no evaluation uses: their mean returns. */
export async function compareStudents(
  saved: readonly [SavedRun, SavedRun],
  options: EvaluateRunOptions,
): Promise<readonly [number, number]> {
  const [first, second] = await Promise.all(saved.map((run) => studentOf(run, options)));
  const policies = { first: first!, second: second! };
  const flown = await flySideBySide(policies, "selection", options);
  return [flown.first!.meanReturn, flown.second!.meanReturn];
}

async function studentOf(saved: SavedRun, { algorithm, env }: EvaluateRunOptions): Promise<Policy> {
  const policies = await algorithm.policies(saved, env.spec);
  for (const [name, policy] of Object.entries(policies)) if (name !== "student") policy.dispose();
  return policies.student!;
}

/** @param purpose draws the episodes; the policies are disposed of. */
export async function flySideBySide(
  policies: Readonly<Record<string, Policy>>,
  purpose: string,
  { env, episodes, seed, stop, acting }: Omit<EvaluateRunOptions, "algorithm">,
): Promise<Evaluation> {
  const named = Object.entries(policies);
  const compiled = named.map(
    ([name, policy]) => [name, compiledPolicy(policy, acting?.compile)] as const,
  );
  try {
    const report = await reportFor(env.spec);
    const crew = { policies: Object.fromEntries(compiled), report };
    const options = { ...crew, env, episodes, seed: deriveSeed(seed, purpose) };
    return await evaluate({ ...options, ...(stop ? { stop } : {}) });
  } finally {
    for (const [, policy] of [...compiled, ...named]) policy.dispose();
  }
}
