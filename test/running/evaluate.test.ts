import { beforeAll, describe, expect, it } from "vitest";
import { createHover } from "../../policies/pilots/hover.ts";
import type { Policy } from "../../policies/policy.ts";
import { openMujoco } from "../../sim-adapters/mujoco/open-mujoco.ts";
import { startEngine } from "../../src/engine/start.ts";
import { evaluate } from "../../src/running/evaluate.ts";

beforeAll(() => startEngine("auto", { threads: 1 }));

const falling: Policy = {
  reads: ["policy"],
  observationWidth: 12,
  actionWidth: 4,
  initialMemory: () => [],
  act: async ({ started }) => ({
    actions: new Float32Array(started.length * 4).fill(-1),
    memory: [],
  }),
  dispose() {},
};

describe("an evaluation", () => {
  it("gives a policy that flies against itself the same bill twice, to the noise of the draw", async () => {
    const env = await openMujoco({ task: "quadcopter", numEnvs: 40 });
    const hover = createHover("policy");
    const policies = { student: hover, teacher: hover };
    const options = { env, policies, episodes: 100, seed: 3 };
    const { student, teacher } = await evaluate(options);
    expect(student).toMatchObject({ deaths: 0, episodes: 100 });
    expect(teacher!.meanReturn).toBeGreaterThan(125);
    expect(student!.meanReturn / teacher!.meanReturn).toBeCloseTo(1, 1);
    expect(student!.finalDistance).toBeLessThan(0.1);
    expect(await evaluate(options)).toEqual({ student, teacher });
  });

  it("counts deaths by policy, and flies one alone in all environments", async () => {
    const env = await openMujoco({ task: "quadcopter", numEnvs: 12 });
    const both = { student: falling, teacher: createHover("policy") };
    const { student, teacher } = await evaluate({ env, policies: both, episodes: 12, seed: 3 });
    expect([student!.deaths, teacher!.deaths]).toEqual([12, 0]);
    expect(student!.meanReturn).toBeLessThan(teacher!.meanReturn / 2);
    const alone = await evaluate({ env, policies: { student: falling }, episodes: 24, seed: 3 });
    expect(alone.student).toMatchObject({ episodes: 24, deaths: 24 });
    expect(alone.student!.stdReturn).toBeGreaterThan(0);
  });

  it("refuses actions that are no numbers, by the name of the policy", async () => {
    const env = await openMujoco({ task: "quadcopter", numEnvs: 2 });
    const broken = {
      ...falling,
      act: async () => ({ actions: new Float32Array(8).fill(Number.NaN), memory: [] }),
    };
    const flown = evaluate({ env, policies: { student: broken }, episodes: 1, seed: 1 });
    await expect(flown).rejects.toMatchObject({ code: "diverged" });
  });
});
