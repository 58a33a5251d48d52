import { expect, test } from "vitest";
import { livelyActions, withEnv } from "./flying.ts";

const expected = [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.02, 0.02, 0.02, 0.05, 0.05, 0.05];

test("the student's group is the teacher's plus Gaussian noise of the stated size", () =>
  withEnv({ task: "quadcopter-noisy", numEnvs: 500 }, async (env) => {
    let { observations } = await env.reset(1);
    const moments = expected.map(() => ({ n: 0, sum: 0, square: 0, fourth: 0 }));
    for (let step = 0; step < 40; step++) {
      const { teacher, policy } = observations as Record<string, Float32Array>;
      for (const [k, exact] of teacher!.entries()) {
        const off = (policy![k]! - exact) / expected[k % 12]!;
        const m = moments[k % 12]!;
        m.n++;
        m.sum += off;
        m.square += off ** 2;
        m.fourth += off ** 4;
      }
      observations = (await env.step(livelyActions(500, step))).frame.observations;
    }
    for (const { n, sum, square, fourth } of moments) {
      // Four standard errors of each moment, n = 20000.
      expect(Math.abs(sum / n)).toBeLessThan(4 / Math.sqrt(n));
      expect(Math.abs(square / n - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
      expect(Math.abs(fourth / n - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
    }
  }));

test("noise is fresh in every step, environment and component", () =>
  withEnv({ task: "quadcopter-noisy", numEnvs: 20 }, async (env) => {
    const seen = new Set<number>();
    let { observations } = await env.reset(1);
    for (let step = 0; step < 10; step++) {
      for (const [k, value] of observations.policy!.entries()) {
        seen.add(value - observations.teacher![k]!);
      }
      observations = (await env.step(livelyActions(20, step))).frame.observations;
    }
    expect(seen.size).toBeGreaterThan(0.99 * 10 * 20 * 12);
  }));

test("the last observations of ended episodes are noisy as well", () =>
  withEnv({ task: "quadcopter-noisy", numEnvs: 50 }, async (env) => {
    await env.reset(1);
    let rows = 0;
    for (let step = 0; step < 60; step++) {
      const { final } = await env.step(livelyActions(50, step));
      if (final === undefined) continue;
      rows += final.rows.length;
      const { teacher, policy } = final.observations;
      expect(policy!.every((value, k) => value !== teacher![k])).toBe(true);
      expect(policy!.every((value, k) => Math.abs(value - teacher![k]!) < 0.7)).toBe(true);
    }
    expect(rows).toBeGreaterThan(10);
  }));

test("noise moves no goal: a noise of zero, and the task without it, fly the same episodes", async () => {
  const silent = { "noise.lin_vel": 0, "noise.ang_vel": 0, "noise.gravity": 0, "noise.goal": 0 };
  const fly = (task: string, settings = {}) =>
    withEnv({ task, numEnvs: 30, settings }, async (env) => {
      const frames = [(await env.reset(9)).observations];
      for (let step = 0; step < 120; step++) {
        frames.push((await env.step(livelyActions(30, step))).frame.observations);
      }
      return frames;
    });
  const plain = await fly("quadcopter");
  const noisy = await fly("quadcopter-noisy");
  const quiet = await fly("quadcopter-noisy", silent);
  for (const [step, { policy }] of plain.entries()) {
    expect(noisy[step]!.teacher).toEqual(policy);
    expect(quiet[step]!.teacher).toEqual(policy);
    // By value: 0 and -0 are one goal.
    expect(quiet[step]!.policy!.every((value, k) => value === policy![k])).toBe(true);
  }
});
