/** One judge for students of both sides: the same simulator, episodes and figures. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NamedArray } from "../policies/named-array.ts";
import type { Policy } from "../policies/policy.ts";
import { openMujoco } from "../sim-adapters/mujoco/open-mujoco.ts";
import { policiesOf, readRun } from "../src/algorithms/offline/run-checkpoint.ts";
import { createTd3Bc } from "../src/algorithms/td3_bc/learner.ts";
import type { Td3BcSettings } from "../src/algorithms/td3_bc/settings.ts";
import { resolveConfig } from "../src/config/resolve.ts";
import { createDeterministicActor } from "../src/learning/offline/deterministic-actor.ts";
import { evaluate } from "../src/running/evaluate.ts";
import { type DataFigures, task } from "./offline-data.ts";

const mostEnvs = 100;
const seed = 1000;
const evaluated = { name: "judged", index: 0, of: 1, iteration: 0, length: 1, progress: 0 };

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
    const { student: flown } = await evaluate({
      ...{ env, policies: { student }, episodes, seed, discount },
    });
    const { meanReturn, discountedReturn, deaths, episodes: count } = flown!;
    return { return: meanReturn, discounted: discountedReturn!, deaths: deaths / count };
  } finally {
    student.dispose();
    await env.close();
  }
}

export async function ourStudent(checkpoint: string): Promise<Policy> {
  const env = await openMujoco({ task, numEnvs: 1 });
  const { spec } = env;
  await env.close();
  return (await policiesOf(await readRun(checkpoint), spec)).student;
}

/**
 * Mean Q₁(s, π(s)) over what episodes start with, of a checkpoint of td3_bc's: what its learner notes of one
 * update whose steps are of length 0.
 */
export async function ourValue(
  run: string,
  checkpoint: string,
  data: DataFigures,
): Promise<number> {
  const { config } = resolveConfig({ base: join(run, "params", "agent.yaml") });
  const settings = config.algorithm as unknown as Td3BcSettings;
  const still = { critic_learning_rate: 1e-300, actor_learning_rate: 1e-300, policy_freq: 1 };
  const env = await openMujoco({ task, numEnvs: 1 });
  const { low, high } = env.spec.action;
  await env.close();
  const site = { reads: ["policy"], observationWidth: data.width, action: { low, high }, seed: 1 };
  const learner = createTd3Bc({ ...settings, ...still }, site);
  try {
    learner.load((await readRun(checkpoint)).state.learner);
    const rows = data.episodes;
    const arrays = {
      ...{ "obs/policy": data.starts, "next/policy": data.starts },
      ...{ actions: new Float32Array(rows * low.length), rewards: new Float32Array(rows) },
      ...{ terminated: new Uint8Array(rows), truncated: new Uint8Array(rows) },
    };
    const seen = { steps: 1, numEnvs: rows, arrays };
    const figures = await learner.update(seen, { ...evaluated, settings: {} });
    return figures["Value/q_mean"]!;
  } finally {
    learner.dispose();
  }
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
