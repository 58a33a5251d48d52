import { beforeAll, expect, test } from "vitest";
import { loadTeacher } from "../../policies/checkpoint/load-teacher.ts";
import { shippedTeacher } from "../../src/algorithms/distillation/shipped-teacher.ts";
import { startEngine } from "../../src/engine/start.ts";
import { norm, row, withEnv } from "./flying.ts";

beforeAll(() => startEngine("auto"));

interface Flown {
  readonly task: string;
  readonly episodes: number;
  /** The group the teacher reads. */
  readonly group: string;
}

/** Whole episodes, no noise on the actions. */
function flyGreedily(path: string, { task, episodes, group }: Flown) {
  const options = { task, numEnvs: episodes, settings: { random_ages: false } };
  return withEnv(options, async (env) => {
    const { policy } = await loadTeacher(path, { reads: [group] });
    const width = env.spec.observations[group]!.shape[0]!;
    let frame = await env.reset(1);
    let memory = policy.initialMemory(episodes);
    let [sum, deaths, distance, truncated] = [0, 0, 0, 0];
    for (let step = 1; step <= 499; step++) {
      const flown = await policy.act(frame, memory);
      const result = await env.step(flown.actions);
      for (const reward of result.rewards) sum += reward;
      for (const flag of result.terminated) deaths += flag;
      for (const flag of result.truncated) truncated += flag;
      for (let k = 0; k < (result.final?.rows.length ?? 0); k++) {
        distance += norm(row(result.final!.observations, group, k, width).slice(9, 12));
      }
      ({ frame, memory } = { frame: result.frame, memory: flown.memory });
    }
    policy.dispose();
    return { meanReturn: sum / episodes, deaths, truncated, distance: distance / episodes };
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
] as const)("%s flies 300 episodes, returns over %d and loses none", async (name, least, near) => {
  const where = { task: "quadcopter", episodes: 300, group: "policy" };
  const flight = await flyGreedily(`policies/teachers/${name}.pt`, where);
  expect(flight).toMatchObject({ deaths: 0, truncated: 300 });
  expect(flight.meanReturn).toBeGreaterThan(least);
  expect(flight.meanReturn).toBeLessThan(134);
  expect(flight.distance).toBeLessThan(near);
});

test.each([
  ["quadcopter-noisy", "hover-rsl_rl-5.4.2.pt", 131],
  ["quadcopter-blind", "hover-rsl_rl-5.4.2.pt", 131],
  ["quadcopter-random", "hover-random-rsl_rl-5.4.2.pt", 130],
] as const)(
  "the teacher shipped for %s, %s, returns over %d and loses none",
  async (task, file, least) => {
    const path = shippedTeacher(task);
    expect(path.endsWith(`/${file}`)).toBe(true);
    const flight = await flyGreedily(path, { task, episodes: 250, group: "teacher" });
    expect(flight).toMatchObject({ deaths: 0, truncated: 250 });
    expect(flight.meanReturn).toBeGreaterThan(least);
    expect(flight.distance).toBeLessThan(0.06);
  },
);

test("an unknown task gets the teacher of the nominal quadcopter, whatever its name", () => {
  for (const task of ["mine", "constructor", ""]) {
    expect(shippedTeacher(task).endsWith("/hover-rsl_rl-5.4.2.pt")).toBe(true);
  }
});
