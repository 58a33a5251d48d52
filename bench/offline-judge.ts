/** One judge for students of both sides: the same simulator, episodes and figures. */
import { readFileSync } from "node:fs";
import type { NamedArray } from "../policies/named-array.ts";
import type { Policy } from "../policies/policy.ts";
import { openMujoco } from "../sim-adapters/mujoco/open-mujoco.ts";
import type { VectorEnv } from "../sim-adapters/vector-env.ts";
import { policiesOf, readRun } from "../src/algorithms/offline/run-checkpoint.ts";
import { createDeterministicActor } from "../src/learning/offline/deterministic-actor.ts";
import { evaluate } from "../src/running/evaluate.ts";
import { task } from "./offline-data.ts";

const mostEnvs = 100;
const seed = 1000;

export interface Judged {
  /** Undiscounted mean over whole episodes. */
  readonly return: number;
  /** From an episode's first step on. */
  readonly discounted: number;
  readonly deaths: number;
}

/** Flies it greedily, and disposes of it. */
export async function judged(student: Policy, episodes: number, discount: number): Promise<Judged> {
  const env = await openMujoco({ task, numEnvs: Math.min(mostEnvs, episodes) });
  try {
    return await judgedIn(env, student, { episodes, discount });
  } finally {
    student.dispose();
    await env.close();
  }
}

export async function judgedIn(
  env: VectorEnv,
  student: Policy,
  { episodes, discount }: { readonly episodes: number; readonly discount: number },
): Promise<Judged> {
  const policies = { student };
  const { student: flown } = await evaluate({ env, policies, episodes, seed, discount });
  const { meanReturn, discountedReturn, deaths, episodes: count } = flown!;
  return { return: meanReturn, discounted: discountedReturn!, deaths: deaths / count };
}

export async function ourStudent(checkpoint: string): Promise<Policy> {
  const env = await openMujoco({ task, numEnvs: 1 });
  const { spec } = env;
  await env.close();
  return (await policiesOf(await readRun(checkpoint), spec)).student;
}

interface PeerActor {
  readonly layers: readonly {
    readonly weight: readonly number[];
    readonly bias: readonly number[];
  }[];
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** What `peer_offline.py` wrote: linear layers with ReLU between them and tanh behind, states standardised. */
export function peerStudent(path: string): Policy {
  const { layers, mean, std } = JSON.parse(readFileSync(path, "utf8")) as PeerActor;
  const weights: Record<string, NamedArray> = {};
  for (const [i, { weight, bias }] of layers.entries()) {
    const shape = [bias.length, weight.length / bias.length];
    weights[`actor.${2 * i}.weight`] = { shape, data: Float32Array.from(weight) };
    weights[`actor.${2 * i}.bias`] = { shape: [bias.length], data: Float32Array.from(bias) };
  }
  const bound = layers.at(-1)!.bias.map(() => 1);
  const site = {
    ...{ reads: ["policy"], observationWidth: mean.length, seed: 1 },
    action: { low: bound.map((one) => -one), high: bound },
    statistics: { mean, std, count: 1 },
  };
  return createDeterministicActor(site, {
    hidden: layers.slice(0, -1).map(({ bias }) => bias.length),
    ...{ normaliseStates: true, random: Math.random, prefix: "actor" },
    given: { weights, maxAction: 1 },
  }).policy;
}
