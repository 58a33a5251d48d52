import { expect, test } from "vitest";
import { openMujoco } from "../../sim-adapters/mujoco/open-mujoco.ts";
import type { RemoteOptions } from "../../sim-adapters/remote/remote-env.ts";
import { connectHere, serveHere } from "../remote/serve-here.ts";
import { bitsOf, livelyActions, record, withEnv } from "./flying.ts";

async function remote(task: string, options: Partial<RemoteOptions> = {}) {
  const endpoint = await serveHere(({ settings, numEnvs = 64 }) =>
    openMujoco({ task, numEnvs, settings }),
  );
  return connectHere({ endpoint, ...options });
}

test.each(["quadcopter", "quadcopter-noisy", "quadcopter-blind", "quadcopter-random"])(
  "%s gives the same bits over the wire as in this process: 500 steps of 64 environments",
  async (task) => {
    const here = await withEnv({ task, numEnvs: 64 }, (env) => record(env, 21, 500));
    const there = await record(await remote(task), 21, 500);
    // One by one: a difference of whole flights would be unreadable.
    for (const [step, bits] of here.entries())
      expect(there[step] === bits, `step ${step}`).toBe(true);
    expect(there.some((bits) => bits.includes("final"))).toBe(true);
  },
);

test("a snapshot travels both ways: flights go on with the same bits here and there", async () => {
  const env = await remote("quadcopter-noisy");
  const fly = async (pilot: Pick<typeof env, "step">, from: number, to: number) => {
    const bits: string[] = [];
    for (let step = from; step < to; step++)
      bits.push(bitsOf(await pilot.step(livelyActions(64, step))));
    return bits;
  };
  await env.reset(2);
  await fly(env, 0, 50);
  const state = await env.snapshot!();
  const onward = await fly(env, 50, 120);
  await env.restore!(state);
  expect(await fly(env, 50, 120)).toEqual(onward);
  await withEnv({ task: "quadcopter-noisy", numEnvs: 64 }, async (here) => {
    await here.restore(state);
    expect(await fly(here, 50, 120)).toEqual(onward);
    const back = await here.snapshot();
    await env.restore!(back);
    expect(await fly(env, 120, 150)).toEqual(await fly(here, 120, 150));
  });
});

test("settings are checked over there, in the simulator's own words", async () => {
  const settings = { decimaton: 4 };
  await expect(remote("quadcopter", { settings })).rejects.toMatchObject({
    code: "unknown-setting",
    message: expect.stringContaining("env.decimaton"),
    hint: expect.stringContaining("Did you mean env.decimation?"),
  });
  const robot = { "robot.spawn.usd_path": "/robots/anymal.usd" };
  await expect(remote("quadcopter", { settings: robot })).rejects.toMatchObject({
    code: "bad-setting",
    hint: expect.stringContaining("--sim"),
  });
});

test("settings in effect and notices reach the driver", async () => {
  const told: string[] = [];
  const env = await remote("quadcopter", {
    numEnvs: 3,
    settings: { decimation: 4, "robot.spawn.usd_path": "/path/cf2x.usd" },
    onNotice: (line) => told.push(line),
  });
  expect(env.spec).toMatchObject({ numEnvs: 3, controlPeriod: 0.04, maxEpisodeSteps: 250 });
  expect(env.welcome.settings).toMatchObject({
    decimation: 4,
    "sim.dt": 0.01,
    "goal.z": [0.5, 1.5],
  });
  expect(told.join()).toContain("/path/cf2x.usd is not opened");
});

test("a refused snapshot leaves the flight as it was", async () => {
  const env = await remote("quadcopter", { numEnvs: 4 });
  await env.reset(1);
  const state = await env.snapshot!();
  await expect(env.restore!(state.slice(0, 100))).rejects.toMatchObject({ code: "bad-snapshot" });
  expect(await env.snapshot!()).toEqual(state);
});
