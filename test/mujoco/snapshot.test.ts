import { expect, test } from "vitest";
import type { SimulationEnv } from "../../sim-adapters/inside/simulation-env.ts";
import fc from "../properties.ts";
import { bitsOf, livelyActions, withEnv } from "./flying.ts";

const task = "quadcopter-noisy";

async function fly(env: SimulationEnv, from: number, to: number): Promise<string[]> {
  const bits: string[] = [];
  for (let step = from; step < to; step++) {
    bits.push(bitsOf(await env.step(livelyActions(env.spec.numEnvs, step))));
  }
  return bits;
}

async function snapshotAfter(steps: number, numEnvs = 8): Promise<Uint8Array> {
  return withEnv({ task, numEnvs }, async (env) => {
    await env.reset(1);
    await fly(env, 0, steps);
    return env.snapshot();
  });
}

test.each([
  ["quadcopter-noisy", {}],
  ["quadcopter-blind", { delay_steps: 3 }],
  ["quadcopter-random", {}],
])("%s: a restored flight goes on with the same bits, here and elsewhere", (task, settings) =>
  withEnv({ task, numEnvs: 30, settings }, async (env) => {
    await env.reset(1);
    await fly(env, 0, 59);
    const last = await env.step(livelyActions(30, 59));
    const state = await env.snapshot();
    const onward = await fly(env, 60, 200);
    expect(bitsOf(await env.restore(state))).toBe(bitsOf(last.frame));
    expect(await fly(env, 60, 200)).toEqual(onward);
    expect(onward.some((bits) => bits.includes("final"))).toBe(true);
    await withEnv({ task, numEnvs: 30, settings }, async (other) => {
      expect(bitsOf(await other.restore(state))).toBe(bitsOf(last.frame));
      expect(await fly(other, 60, 200)).toEqual(onward);
    });
  }),
);

test("a snapshot is a copy: flying on does not change it, and the same state gives the same bytes", () =>
  withEnv({ task, numEnvs: 8 }, async (env) => {
    await env.reset(1);
    const state = await env.snapshot();
    const copy = state.slice();
    await fly(env, 0, 30);
    expect(state).toEqual(copy);
    await env.restore(state);
    expect(await env.snapshot()).toEqual(copy);
  }));

test("refuses every shortened snapshot, and any with one bit changed, and stays as it was", async () => {
  const state = await snapshotAfter(20);
  await withEnv({ task, numEnvs: 8 }, async (env) => {
    await env.reset(2);
    const before = await env.snapshot();
    const refused = (bytes: Uint8Array) =>
      expect(env.restore(bytes)).rejects.toMatchObject({ code: "bad-snapshot" });
    for (let length = 0; length < state.length; length += length < 1100 ? 1 : 97) {
      await refused(state.subarray(0, length));
    }
    const bit = fc.nat({ max: state.length * 8 - 1 });
    await fc.assert(
      fc.asyncProperty(bit, async (at) => {
        const flipped = state.slice();
        flipped[at >> 3]! ^= 1 << (at & 7);
        await refused(flipped);
      }),
    );
    await refused(Uint8Array.of(...state, 0));
    expect(await env.snapshot()).toEqual(before);
    await env.restore(state);
  });
});

test("refuses a snapshot of another task, size or setting, and names both sides", async () => {
  const state = await snapshotAfter(5);
  const refusal = (options: Parameters<typeof withEnv>[0]) =>
    withEnv({ task, numEnvs: 8, ...options }, (env) =>
      env.restore(state).then(
        () => "restored",
        ({ code, message }) => `${code}: ${message}`,
      ),
    );
  expect(await refusal({ task: "quadcopter" })).toMatch(
    /other-snapshot: .*task was "quadcopter-noisy", here it is "quadcopter"/,
  );
  expect(await refusal({ numEnvs: 9 })).toMatch(/num_envs was 8, here it is 9/);
  expect(await refusal({ settings: { "robot.mass": 0.03 } })).toMatch(
    /env.robot.mass was 0.0282, here it is 0.03/,
  );
  expect(await refusal({ settings: { "robot.spawn.usd_path": "/elsewhere/cf2x.usd" } })).toBe(
    "restored",
  );
});
