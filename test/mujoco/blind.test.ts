import { expect, test } from "vitest";
import type { Observations } from "../../protocol/frame.ts";
import { livelyActions, row, withEnv } from "./flying.ts";

const task = "quadcopter-blind";
const silent = { "noise.ang_vel": 0, "noise.gravity": 0, "noise.goal": 0 };

/** What the student would see of an exact row of the teacher's, were it at once. */
function sensed(exact: readonly number[]): number[] {
  return [...exact.slice(6, 9), ...exact.slice(3, 6), ...exact.slice(9, 12)];
}

/** By value: a sensor's noise of zero makes 0 of -0. */
function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, k) => value === b[k]);
}

test("says what the student sees, in order: no velocity over ground, the last action", () =>
  withEnv({ task }, async ({ spec }) => {
    expect(spec.observations.teacher?.shape).toEqual([12]);
    const { shape, names, units } = spec.observations.policy!;
    expect(shape).toEqual([13]);
    const xyz = (name: string) => ["x", "y", "z"].map((axis) => `${name}.${axis}`);
    expect(names).toEqual([
      ...xyz("projected_gravity_b"),
      ...xyz("ang_vel_b"),
      ...xyz("desired_pos_b"),
      "last_action.thrust",
      ...xyz("last_action.moment"),
    ]);
    const ones = ["1", "1", "1"];
    const rates = ["rad/s", "rad/s", "rad/s"];
    expect(units).toEqual([...ones, ...rates, "m", "m", "m", ...ones, "1"]);
  }));

test("the teacher sees the same flight as in the other tasks", async () => {
  const fly = (name: string) =>
    withEnv({ task: name, numEnvs: 20 }, async (env) => {
      const seen = [(await env.reset(9)).observations.teacher];
      for (let step = 0; step < 120; step++) {
        seen.push((await env.step(livelyActions(20, step))).frame.observations.teacher);
      }
      return seen;
    });
  expect(await fly(task)).toEqual(await fly("quadcopter-noisy"));
});

test.each([0, 1, 4])(
  "sensors are %i steps late, begin with the first reading; the last action is not late",
  (delay) =>
    withEnv({ task, numEnvs: 24, settings: { ...silent, delay_steps: delay } }, async (env) => {
      const first = await env.reset(3);
      const readings = Array.from({ length: 24 }, () => [] as number[][]);
      let [checked, finals] = [0, 0];
      const check = (observations: Observations, at: number, i: number, action: number[]) => {
        const past = readings[i]!;
        past.push(sensed(row(observations, "teacher", at)));
        const expected = [...past[Math.max(0, past.length - 1 - delay)]!, ...action];
        expect(same(row(observations, "policy", at, 13), expected)).toBe(true);
        checked++;
      };
      const none = [0, 0, 0, 0];
      for (let i = 0; i < 24; i++) check(first.observations, i, i, none);
      for (let step = 0; step < 150; step++) {
        const actions = livelyActions(24, step);
        const applied = actions.map((a) => Math.max(-1, Math.min(1, a)));
        const { frame, final } = await env.step(actions.slice());
        const ended = Array.from(final?.rows ?? []);
        for (let i = 0; i < 24; i++) {
          const action = Array.from(applied.subarray(4 * i, 4 * i + 4));
          const k = ended.indexOf(i);
          if (k === -1) {
            check(frame.observations, i, i, action);
            continue;
          }
          check(final!.observations, k, i, action);
          readings[i] = [];
          check(frame.observations, i, i, none);
          finals++;
        }
      }
      expect(checked).toBe(24 * 151 + finals);
      expect(finals).toBeGreaterThan(20);
    }),
);

test("sensors are noisy by the stated sizes, the last action is exact", () =>
  withEnv({ task, numEnvs: 500, settings: { delay_steps: 0 } }, async (env) => {
    const sizes = [0.02, 0.02, 0.02, 0.1, 0.1, 0.1, 0.02, 0.02, 0.02];
    let { observations } = await env.reset(1);
    const squares = sizes.map(() => 0);
    let n = 0;
    for (let step = 0; step < 40; step++) {
      for (let i = 0; i < 500; i++) {
        const exact = sensed(row(observations, "teacher", i));
        const seen = row(observations, "policy", i, 13);
        for (const [k, size] of sizes.entries())
          squares[k]! += ((seen[k]! - exact[k]!) / size) ** 2;
        n++;
      }
      observations = (await env.step(livelyActions(500, step))).frame.observations;
    }
    // Four standard errors of a variance.
    for (const sum of squares) expect(Math.abs(sum / n - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
  }));

test("the repeated first reading is one measurement: its noise is repeated as well", () =>
  withEnv({ task, numEnvs: 8, settings: { delay_steps: 2 } }, async (env) => {
    const seen = [(await env.reset(2)).observations];
    for (let step = 0; step < 4; step++) {
      seen.push((await env.step(livelyActions(8, 2 * step))).frame.observations);
    }
    for (const i of [0, 2, 4, 6]) {
      const sensors = seen.map((frame) => row(frame, "policy", i, 13).slice(0, 9));
      expect(sensors[1]).toEqual(sensors[0]);
      expect(sensors[2]).toEqual(sensors[0]);
      expect(sensors[3]).not.toEqual(sensors[0]);
      expect(sensors[4]).not.toEqual(sensors[3]);
    }
  }));

test.each([-1, 0.5, 51, "1", true])("delay_steps = %j is refused by name", async (value) => {
  const opening = withEnv({ task, settings: { delay_steps: value } }, async () => "opened");
  await expect(opening).rejects.toMatchObject({ code: "bad-setting", field: "env.delay_steps" });
});

test("there is no noise on a velocity that is not seen", async () => {
  const opening = withEnv({ task, settings: { "noise.lin_vel": 0.1 } }, async () => "opened");
  await expect(opening).rejects.toMatchObject({ code: "unknown-setting" });
});
