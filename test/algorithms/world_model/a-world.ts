import { Random } from "../../../policies/random.ts";
import { WorldModelLearner } from "../../../src/algorithms/world_model/learner.ts";
import { planFacts, WorldModelPlan } from "../../../src/algorithms/world_model/plans.ts";
import {
  type WorldModelSettings,
  worldModelSettings,
} from "../../../src/algorithms/world_model/settings.ts";
import type { WorldFacts } from "../../../src/algorithms/world_model/world-facts.ts";
import type { WholeEpisodes } from "../../../src/datasets/whole-episodes.ts";
import { Windows } from "../../../src/datasets/windows.ts";
import type { Compile } from "../../../src/engine/compile/program.ts";

/** Settings of a world that is small enough for a test. */
export function settingsOf(changes: Readonly<Record<string, unknown>> = {}): WorldModelSettings {
  return worldModelSettings.parse({
    ...{ latent: 8, hidden_dims: [12], action_levels: 4, pre_len: 3, td_steps: 2, batch_size: 6 },
    ...{ search_simulations: 8, level_spacing: "even", plan: "joint", learning_rate: 0.01 },
    ...changes,
  });
}

const bounds = { low: [0, -1], high: [3, 1] };
const evenly = (least: number, most: number) =>
  Array.from({ length: 4 }, (_, i) => least + ((most - least) * i) / 3);

export const facts: WorldFacts = {
  ...{ reads: ["policy"], bounds, levels: [evenly(0, 3), evenly(-1, 1)] },
  observations: { mean: [0, 0, 1], std: [1, 1, 2] },
  heads: [
    { name: "bis", components: ["bis"], columns: [0], scale: { mean: [0], std: [1] } },
    { name: "rp", components: ["map"], columns: [2], scale: { mean: [1], std: [2] } },
  ],
  reward: { mean: [0], std: [1] },
  value: { mean: [0.5], std: [3] },
};

/** Three numbers that decay, pushed by two actions; the reward is how near the first is to 1. */
export function episodes({ count = 6, steps = 20, seed = 3 } = {}): WholeEpisodes {
  const { normal, uniform } = new Random(seed);
  const observations: number[] = [];
  const actions: number[] = [];
  const rewards: number[] = [];
  for (let episode = 0; episode < count; episode += 1) {
    let state = [normal(), normal(), 1 + 2 * normal()];
    observations.push(...state);
    for (let step = 0; step < steps; step += 1) {
      const [a, b] = [3 * uniform(), 2 * uniform() - 1];
      state = [0.7 * state[0]! + 0.3 * a, 0.5 * state[1]! + b, 0.9 * state[2]! + state[1]!];
      actions.push(a, b);
      observations.push(...state);
      rewards.push(-Math.abs(state[0]! - 1));
    }
  }
  return {
    ...{ width: 3, actionWidth: 2 },
    observations: Float32Array.from(observations),
    actions: Float32Array.from(actions),
    rewards: Float32Array.from(rewards),
    places: Array.from({ length: count }, (_, episode) => ({
      ...{ observation: episode * (steps + 1), step: episode * steps, steps },
      ...{ observed: steps + 1, terminated: episode % 2 === 0 },
    })),
  };
}

export function windowsFor(settings: WorldModelSettings, whole = episodes(), seed = 9): Windows {
  const { pre_len: length, history, td_steps: ahead, discount, batch_size: batch } = settings;
  const options = { length, history, ahead, discount, batch, seed, seen: 3, predicted: [0, 2] };
  return new Windows(whole, { ...options, padding: Float32Array.of(0, 0, 1) });
}

export function learnerOf(
  settings: WorldModelSettings,
  options: { readonly compile?: Compile; readonly seed?: number } = {},
): WorldModelLearner {
  return new WorldModelLearner(settings, { facts, seed: 7, ...options });
}

/** The stage that a plan is in at last, and the one that it begins with. */
export function stagesOf(settings: WorldModelSettings) {
  const plan = new WorldModelPlan(planFacts(settings), 40);
  return { first: plan.at(0).stage, last: plan.at(39).stage };
}
