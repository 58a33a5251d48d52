import { beforeAll, expect, test } from "vitest";
import { loadTeacher } from "../../policies/teacher.ts";
import { startEngine } from "../../src/engine/start.ts";
import { norm, row, withEnv } from "./flying.ts";

beforeAll(() => startEngine("auto"));

/** 1000 whole episodes, no noise on the actions. */
function flyGreedily(path: string) {
  return withEnv({ numEnvs: 1000, settings: { random_ages: false } }, async (env) => {
    const { policy } = await loadTeacher(path);
    let frame = await env.reset(1);
    let memory = policy.initialMemory(1000);
    let [sum, deaths, distance, truncated] = [0, 0, 0, 0];
    for (let step = 1; step <= 499; step++) {
      const flown = await policy.act(frame, memory);
      const result = await env.step(flown.actions);
      for (const reward of result.rewards) sum += reward;
      for (const flag of result.terminated) deaths += flag;
      for (const flag of result.truncated) truncated += flag;
      for (let k = 0; k < (result.final?.rows.length ?? 0); k++) {
        distance += norm(row(result.final!.observations, "policy", k).slice(9));
      }
      ({ frame, memory } = { frame: result.frame, memory: flown.memory });
    }
    policy.dispose();
    return { meanReturn: sum / 1000, deaths, truncated, distance: distance / 1000 };
  });
}

/**
 * The first one's return and distance on the model it was trained on are in the .json beside it:
 * 133.3 and 0.027 m.
 */
test.each([
  ["hover-rsl_rl-5.4.2", 132.7, 0.03],
  ["hover-rsl_rl-4.0.1", 122, 0.1],
  ["hover-rsl_rl-3.3.0-normalised", 125, 0.05],
  ["hover-rsl_rl-2.3.3-normalised", 124, 0.07],
] as const)("%s flies 1000 episodes, returns over %d and loses none", async (name, least, near) => {
  const flight = await flyGreedily(`policies/teachers/${name}.pt`);
  expect(flight).toMatchObject({ deaths: 0, truncated: 1000 });
  expect(flight.meanReturn).toBeGreaterThan(least);
  expect(flight.meanReturn).toBeLessThan(134);
  expect(flight.distance).toBeLessThan(near);
});
