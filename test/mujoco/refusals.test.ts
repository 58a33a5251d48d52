import { expect, test } from "vitest";
import { openMujoco } from "../../sim-adapters/mujoco/open-mujoco.ts";
import { all, bitsOf, livelyActions, withEnv } from "./flying.ts";

function opened(settings: Readonly<Record<string, unknown>>, task = "quadcopter") {
  return withEnv({ task, settings }, async (env) => env);
}

test("the names of Isaac Lab's users lead to the tasks", async () => {
  const specs = ["Isaac-Quadcopter-Direct-v0", "distillation"].map((task) =>
    withEnv({ task }, async (env) => env.spec.task),
  );
  expect(await Promise.all(specs)).toEqual(["quadcopter", "quadcopter-noisy"]);
});

test.each(["quadcoptre", "", "constructor", "__proto__"])("there is no task %j", async (task) => {
  const error = await openMujoco({ task, numEnvs: 1 }).catch((caught) => caught);
  expect(error).toMatchObject({ code: "unknown-task", field: "task" });
  expect(error.hint).toContain("Known: quadcopter, quadcopter-noisy");
  if (task === "quadcoptre") expect(error.hint).toContain("Did you mean quadcopter?");
});

test.each([0, -1, 1.5, 16_385, Number.NaN])("%d environments are refused", async (numEnvs) => {
  const opening = openMujoco({ task: "quadcopter", numEnvs });
  await expect(opening).rejects.toMatchObject({ code: "bad-num-envs", field: "num_envs" });
});

test("an unknown setting is refused with the known ones and the nearest", async () => {
  await expect(opened({ episode_lenght_s: 5 })).rejects.toMatchObject({
    code: "unknown-setting",
    field: "env.episode_lenght_s",
    hint: expect.stringMatching(/env\.sim\.dt.*Did you mean env\.episode_length_s\?/),
  });
  await expect(opened({ "noise.goal": 0.1 })).rejects.toMatchObject({ code: "unknown-setting" });
  await expect(opened({ constructor: 1 })).rejects.toMatchObject({ code: "unknown-setting" });
  expect((await opened({ "noise.goal": 0.1 }, "quadcopter-noisy")).settings["noise.goal"]).toBe(
    0.1,
  );
});

test.each<[string, unknown]>([
  ["episode_length_s", "10"],
  ["episode_length_s", 0],
  ["episode_length_s", Number.NaN],
  ["episode_length_s", Number.POSITIVE_INFINITY],
  ["decimation", 1.5],
  ["decimation", null],
  ["sim.dt", -0.01],
  ["thrust_to_weight", [1.9]],
  ["random_ages", "yes"],
  ["random_ages", 1],
  ["robot.mass", 0],
  ["robot.inertia", 2e-5],
  ["robot.inertia", [2e-5, 2e-5]],
  ["robot.inertia", [1e-5, 1e-5, 3e-5]],
  ["goal.xy", [2, -2]],
  ["goal.z", [0, 1, 2]],
  ["min_height", 2.5],
  ["robot.spawn.usd_path", 7],
])("%s = %j is refused by name", async (name, value) => {
  await expect(opened({ [name]: value })).rejects.toMatchObject({
    code: "bad-setting",
    field: `env.${name}`,
  });
});

test.each([
  "/path/cf2x.usd",
  "cf2x.usd",
  "C:\\robots\\cf2x.usd",
  "omniverse://server/Robots/Crazyflie/cf2x.usd",
])("the Crazyflie of %s is the one built in, and a notice says so", async (path) => {
  const { notices, settings } = await opened({ "robot.spawn.usd_path": path });
  expect(notices.join()).toContain(path);
  expect(notices.join()).toContain("is not opened");
  expect(settings["robot.spawn.usd_path"]).toBe(path);
});

test.each(["/path/anymal.usd", "/path/cf2x.usd/other.usd", "", "xcf2x.usd"])(
  "another robot, %j, needs its own simulator",
  async (path) => {
    await expect(opened({ "robot.spawn.usd_path": path })).rejects.toMatchObject({
      code: "bad-setting",
      message: expect.stringContaining("cf2x.usd"),
      hint: expect.stringContaining("--sim"),
    });
  },
);

test("settings reach the physics", async () => {
  const fall = (settings: Readonly<Record<string, unknown>>, action: readonly number[]) =>
    withEnv({ settings: { random_ages: false, ...settings } }, async (env) => {
      await env.reset(1);
      return (await env.step(all(1, action))).frame.observations.policy!;
    });
  expect((await fall({ "sim.dt": 0.005 }, [-1, 0, 0, 0]))[2]).toBeCloseTo(-9.81 * 0.01, 6);
  expect((await fall({ decimation: 5 }, [-1, 0, 0, 0]))[2]).toBeCloseTo(-9.81 * 0.05, 6);
  expect((await fall({ thrust_to_weight: 3 }, [1, 0, 0, 0]))[2]).toBeCloseTo(2 * 9.81 * 0.02, 6);
  const heavy = await fall({ "robot.mass": 2, thrust_to_weight: 3 }, [1, 0, 0, 0]);
  expect(heavy[2]).toBeCloseTo(2 * 9.81 * 0.02, 6);
  const spun = await fall(
    { moment_scale: 1e-4, "robot.inertia": [1e-4, 1e-4, 1e-4] },
    [0, 0, 0, 1],
  );
  expect(spun[5]).toBeCloseTo(0.02, 6);
});

test("an action that is no number names environment and component, and changes nothing", () =>
  withEnv({ numEnvs: 3 }, async (env) => {
    await env.reset(1);
    const before = await env.snapshot();
    for (const poison of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const actions = livelyActions(3, 0);
      actions[4 * 2 + 1] = poison;
      await expect(env.step(actions)).rejects.toMatchObject({
        code: "bad-value",
        message: expect.stringContaining("environment 2, component 1 (moment.x)"),
      });
    }
    for (const length of [0, 11, 13]) {
      await expect(env.step(new Float32Array(length))).rejects.toMatchObject({
        code: "bad-tensor",
        message: expect.stringContaining(`got ${length} numbers`),
      });
    }
    expect(await env.snapshot()).toEqual(before);
  }));

test("nothing is flown before a reset or after the end", () =>
  withEnv({}, async (env) => {
    const idle = { code: "not-reset" };
    await expect(env.step(all(1, [0, 0, 0, 0]))).rejects.toMatchObject(idle);
    await expect(env.snapshot()).rejects.toMatchObject(idle);
    await expect(env.reset(-1)).rejects.toMatchObject({ code: "bad-seed" });
    await expect(env.reset(2 ** 32)).rejects.toMatchObject({ code: "bad-seed" });
    await env.reset(2 ** 32 - 1);
    await env.close();
    await env.close();
    await expect(env.reset(1)).rejects.toMatchObject({ code: "closed" });
    await expect(env.step(all(1, [0, 0, 0, 0]))).rejects.toMatchObject({ code: "closed" });
  }));

test("stays finite under the wildest actions for as long as nobody dies of them", () =>
  withEnv(
    { numEnvs: 64, settings: { min_height: -1e4, max_height: 1e4, random_ages: false } },
    async (env) => {
      await env.reset(1);
      for (let step = 0; step < 600; step++) {
        const wild = livelyActions(64, step).map((a, k) => (k % 4 === 0 ? 1 : Math.sign(a) * 9));
        const result = await env.step(wild);
        expect(result.frame.observations.policy!.every(Number.isFinite)).toBe(true);
        expect(bitsOf(result)).not.toContain("null");
      }
    },
  ));
