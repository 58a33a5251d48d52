import { expect, test } from "vitest";
import type { ObservationArray } from "../../protocol/frame.ts";
import { openMujoco } from "../../sim-adapters/mujoco/open-mujoco.ts";
import { bitsOf, livelyActions, record, withEnv } from "./flying.ts";

const tasks = ["quadcopter", "quadcopter-noisy", "quadcopter-blind", "quadcopter-random"] as const;

test.each(tasks)("%s: the same seed and actions give the same bits, another seed others", (task) =>
  withEnv({ task, numEnvs: 20 }, async (env) => {
    const first = await record(env, 5, 150);
    expect(await record(env, 5, 150)).toEqual(first);
    await withEnv({ task, numEnvs: 20 }, async (other) => {
      expect(await record(other, 5, 150)).toEqual(first);
      expect((await record(other, 6, 0))[0]).not.toBe(first[0]);
    });
  }),
);

const drawing = ["quadcopter-noisy", "quadcopter-blind", "quadcopter-random"] as const;

test.each(drawing)("%s: the same bits whatever the fleet and the size of blocks", async (task) => {
  const fly = (numEnvs: number, blockSize?: number) =>
    withEnv({ task, numEnvs, ...(blockSize === undefined ? {} : { blockSize }) }, async (env) => {
      const flown: ObservationArray[] = [];
      let { observations } = await env.reset(5);
      for (let step = 0; step < 120; step++) {
        for (const [group, { shape }] of Object.entries(env.spec.observations)) {
          flown.push(observations[group]!.slice(0, 3 * shape[0]!));
        }
        const result = await env.step(livelyActions(numEnvs, step));
        flown.push(result.rewards.slice(0, 3));
        observations = result.frame.observations;
      }
      return flown;
    });
  const alone = await fly(3);
  expect(await fly(7)).toEqual(alone);
  expect(await fly(300)).toEqual(alone);
  expect(await fly(300, 7)).toEqual(alone);
  expect(await fly(300, 1000)).toEqual(alone);
});

test("neighbours draw different goals", () =>
  withEnv({ numEnvs: 4096 }, async (env) => {
    const { policy } = (await env.reset(0)).observations;
    const goals = new Set(policy!.filter((_, k) => k % 12 === 9));
    expect(goals.size).toBeGreaterThan(4090);
  }));

test("what was given out is never written again, nor read", async () => {
  const untouched = await withEnv({ numEnvs: 5 }, (env) => record(env, 3, 60));
  await withEnv({ numEnvs: 5 }, async (env) => {
    let held = await env.reset(3);
    for (let step = 0; step < 60; step++) {
      const bits = bitsOf(held);
      const actions = livelyActions(5, step);
      const result = await env.step(actions);
      expect(bitsOf(held)).toBe(bits);
      expect(bitsOf(result)).toBe(untouched[step + 1]);
      held = result.frame;
      actions.fill(Number.NaN);
      for (const array of [result.rewards, result.terminated, result.truncated]) array.fill(9);
      held = {
        observations: { policy: held.observations.policy!.fill(77) },
        started: held.started,
      };
    }
  });
});

test("another fleet in the same process changes nothing, even when it makes memory grow", async () => {
  const alone = await withEnv({ numEnvs: 40 }, (env) => record(env, 3, 60));
  await withEnv({ numEnvs: 40 }, async (env) => {
    const bits = [bitsOf(await env.reset(3))];
    for (let step = 0; step < 60; step++) {
      if (step === 20) {
        const large = await openMujoco({ task: "quadcopter", numEnvs: 16_384 });
        await large.reset(1);
        await large.step(livelyActions(16_384, 0));
        await large.close();
      }
      bits.push(bitsOf(await env.step(livelyActions(40, step))));
    }
    expect(bits).toEqual(alone);
  });
});
