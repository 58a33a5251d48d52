import { describe, expect, it } from "vitest";
import { createHover } from "../../policies/pilots/hover.ts";
import { openMujoco } from "../../sim-adapters/mujoco/open-mujoco.ts";

/** Returns of the whole episodes in two episodes' time, and how many environments died. */
async function fly(task: string, group: string, numEnvs: number) {
  const env = await openMujoco({ task, numEnvs });
  const policy = createHover(group);
  const returns: number[] = [];
  const sums = new Float64Array(numEnvs).fill(Number.NaN);
  let deaths = 0;
  let frame = await env.reset(3);
  for (let step = 0; step < 2 * env.spec.maxEpisodeSteps; step++) {
    const { actions } = await policy.act(frame, []);
    const result = await env.step(actions);
    for (let row = 0; row < numEnvs; row++) {
      sums[row] = (sums[row] ?? 0) + (result.rewards[row] ?? 0);
      deaths += result.terminated[row] ?? 0;
      if (result.frame.started[row] !== 1) continue;
      // The first episodes start in the middle and are not whole.
      if (!Number.isNaN(sums[row])) returns.push(sums[row] ?? 0);
      sums[row] = 0;
    }
    frame = result.frame;
  }
  await env.close();
  return { returns, deaths };
}

describe("the hover controller", () => {
  it("returns more than 130 in every quadcopter episode on average, and never dies", async () => {
    const { returns, deaths } = await fly("quadcopter", "policy", 200);
    const mean = returns.reduce((sum, value) => sum + value, 0) / returns.length;
    expect(returns.length).toBeGreaterThanOrEqual(200);
    expect(mean).toBeGreaterThan(130);
    expect(Math.min(...returns)).toBeGreaterThan(100);
    expect(deaths).toBe(0);
  });

  it("keeps every action within ±1, even far away and tumbling", async () => {
    const observation = [30, -30, 30, 50, 50, -50, 1, 0, 0, 1e3, -1e3, 1e3];
    const frame = {
      observations: { teacher: Float32Array.from(observation) },
      started: new Uint8Array(1),
    };
    const { actions } = await createHover("teacher").act(frame, []);
    expect(actions.every((action) => Math.abs(action) <= 1)).toBe(true);
  });

  it("hovers at 2/1.9 − 1 when it is where it should be", async () => {
    const level = Float32Array.of(0, 0, 0, 0, 0, 0, 0, 0, -1, 0, 0, 0);
    const frame = { observations: { policy: level }, started: new Uint8Array(1) };
    const { actions } = await createHover().act(frame, []);
    expect(actions[0]).toBeCloseTo(2 / 1.9 - 1, 6);
    expect(Array.from(actions.subarray(1), Math.abs)).toEqual([0, 0, 0]);
  });

  it("refuses the observations of another task", async () => {
    const frame = { observations: { policy: new Float32Array(10) }, started: new Uint8Array(1) };
    const attempt = createHover().act(frame, []);
    await expect(attempt).rejects.toMatchObject({ code: "observation-width" });
    const other = createHover("teacher").act(frame, []);
    await expect(other).rejects.toMatchObject({
      message: expect.stringContaining("no such group"),
    });
  });
});
