import { expect, test } from "vitest";
import type { StepResult } from "../../protocol/frame.ts";
import { all, hoverThrust, livelyActions, norm, row, withEnv } from "./flying.ts";

const still = { random_ages: false };
const period = 0.02;

/** Terms of the reward, from a row of exact observations: float32, so about seven digits. */
function terms(observed: readonly number[]) {
  const square = (from: number) => norm(observed.slice(from, from + 3)) ** 2;
  return {
    lin_vel: -0.05 * square(0) * period,
    ang_vel: -0.01 * square(3) * period,
    distance_to_goal: 15 * (1 - Math.tanh(norm(observed.slice(9, 12)) / 0.8)) * period,
  };
}

test("says what it observes, in names and units", () =>
  withEnv({ task: "quadcopter-noisy", numEnvs: 3 }, async ({ spec }) => {
    expect(spec).toMatchObject({ numEnvs: 3, controlPeriod: 0.02, maxEpisodeSteps: 500 });
    expect(Object.keys(spec.observations)).toEqual(["teacher", "policy"]);
    expect(spec.observations.policy?.shape).toEqual([12]);
    expect(spec.observations.policy?.names?.[9]).toBe("desired_pos_b.x");
    expect(spec.observations.policy?.units?.slice(2, 7)).toEqual([
      "m/s",
      "rad/s",
      "rad/s",
      "rad/s",
      "1",
    ]);
    expect(spec.action).toMatchObject({ shape: [4], low: [-1, -1, -1, -1], high: [1, 1, 1, 1] });
    expect(spec.capabilities).toEqual(["bitwise", "snapshot"]);
  }));

test("begins every episode level, at rest, with a goal within its bounds", () =>
  withEnv({ numEnvs: 2000 }, async (env) => {
    const { observations, started } = await env.reset(4);
    expect(started.every((flag) => flag === 1)).toBe(true);
    const goals = Array.from({ length: 2000 }, (_, i) => row(observations, "policy", i));
    for (const observed of goals)
      expect(observed.slice(0, 9)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, -1]);
    const extent = (axis: number) => {
      const values = goals.map((observed) => observed[axis]!);
      return [Math.min(...values), Math.max(...values)] as const;
    };
    for (const axis of [9, 10]) {
      const [low, high] = extent(axis);
      expect(low).toBeGreaterThanOrEqual(-2);
      expect(low).toBeLessThan(-1.98);
      expect(high).toBeLessThanOrEqual(2);
      expect(high).toBeGreaterThan(1.98);
    }
    const [low, high] = extent(11);
    expect(low).toBeGreaterThanOrEqual(0);
    expect(high).toBeLessThanOrEqual(1);
    expect(high - low).toBeGreaterThan(0.98);
  }));

test("hovers where it is at the thrust of one weight", () =>
  withEnv({ numEnvs: 2, settings: still }, async (env) => {
    const before = row((await env.reset(1)).observations, "policy", 1);
    let now: StepResult | undefined;
    for (let step = 0; step < 498; step++) now = await env.step(all(2, [hoverThrust, 0, 0, 0]));
    const after = row(now!.frame.observations, "policy", 1);
    for (const [k, value] of after.entries()) expect(value).toBeCloseTo(before[k]!, 5);
  }));

test("clamps actions to their bounds", () =>
  withEnv({ numEnvs: 1 }, async (env) => {
    await env.reset(1);
    const clamped = await env.step(Float32Array.of(1, -1, 1, 0.5));
    await env.reset(1);
    const beyond = await env.step(Float32Array.of(7, -3e30, 1.0001, 0.5));
    expect(beyond.frame).toEqual(clamped.frame);
    expect(beyond.rewards).toEqual(clamped.rewards);
  }));

test("cuts an episode off at step 499, and again 499 steps later", () =>
  withEnv({ numEnvs: 3, settings: still }, async (env) => {
    await env.reset(1);
    const cuts: number[] = [];
    for (let step = 1; step <= 1000; step++) {
      const result = await env.step(all(3, [hoverThrust, 0, 0, 0]));
      expect(result.terminated.some((flag) => flag === 1)).toBe(false);
      expect(result.truncated).toEqual(result.frame.started);
      expect(result.final !== undefined).toBe(result.truncated[0] === 1);
      expect(result.log !== undefined).toBe(result.final !== undefined);
      if (result.truncated[0] === 1) cuts.push(step);
    }
    expect(cuts).toEqual([499, 998]);
  }));

test("an explicit reset draws ages over the whole episode; an end, even of all at once, does not", () =>
  withEnv({ numEnvs: 400 }, async (env) => {
    await env.reset(2);
    const first = new Int32Array(400);
    const second = new Int32Array(400);
    for (let step = 1; step <= 998; step++) {
      const { final } = await env.step(all(400, [hoverThrust, 0, 0, 0]));
      for (const i of final?.rows ?? []) {
        if (first[i] === 0) first[i] = step;
        else second[i] = step - first[i]!;
      }
    }
    // Ages 0 … 499 end after 499 … 1 steps, and age 499 at once.
    expect(Math.min(...first)).toBe(1);
    expect(Math.max(...first)).toBeGreaterThan(490);
    const mean = first.reduce((sum, steps) => sum + steps, 0) / 400;
    expect(Math.abs(mean - 250)).toBeLessThan(30);
    expect(second.filter((steps) => steps > 0).every((steps) => steps === 499)).toBe(true);
  }));

test("a single environment flies whole episodes after its first", () =>
  withEnv({ numEnvs: 1 }, async (env) => {
    await env.reset(3);
    const ends: number[] = [];
    for (let step = 1; step <= 1600; step++) {
      const { truncated } = await env.step(all(1, [hoverThrust, 0, 0, 0]));
      if (truncated[0] === 1) ends.push(step);
    }
    expect(ends.slice(1).map((end, k) => end - ends[k]!)).toEqual(ends.slice(1).map(() => 499));
    expect(ends.length).toBeGreaterThanOrEqual(3);
  }));

test("dies below 0.1 m, after the 29 physics steps of a free fall from 0.5 m", () =>
  withEnv({ numEnvs: 1, settings: still }, async (env) => {
    await env.reset(1);
    for (let step = 1; step <= 14; step++) {
      expect((await env.step(all(1, [-1, 0, 0, 0]))).terminated[0]).toBe(0);
    }
    const { terminated, truncated } = await env.step(all(1, [-1, 0, 0, 0]));
    expect([terminated[0], truncated[0]]).toEqual([1, 0]);
  }));

test("dies above 2 m, after the 58 physics steps of a climb at full throttle", () =>
  withEnv({ numEnvs: 1, settings: still }, async (env) => {
    await env.reset(1);
    for (let step = 1; step <= 28; step++) {
      expect((await env.step(all(1, [1, 0, 0, 0]))).terminated[0]).toBe(0);
    }
    expect((await env.step(all(1, [1, 0, 0, 0]))).terminated[0]).toBe(1);
  }));

test("sets both flags when a fall and the clock end an episode at once, as Isaac Lab does", () =>
  withEnv({ numEnvs: 1, settings: { ...still, episode_length_s: 0.32 } }, async (env) => {
    expect(env.spec.maxEpisodeSteps).toBe(16);
    await env.reset(1);
    let last: StepResult | undefined;
    for (let step = 1; step <= 15; step++) last = await env.step(all(1, [-1, 0, 0, 0]));
    expect([last!.terminated[0], last!.truncated[0]]).toEqual([1, 1]);
    expect(last!.log).toMatchObject({
      "Episode_Termination/died": 1,
      "Episode_Termination/time_out": 1,
    });
  }));

test("gives the last observation of what ended and the first of what follows", () =>
  withEnv({ numEnvs: 4, settings: still }, async (env) => {
    await env.reset(1);
    const actions = all(4, [hoverThrust, 0, 0, 0]);
    actions[4 * 1] = -1;
    actions[4 * 3] = -1;
    let last: StepResult | undefined;
    for (let step = 1; step <= 15; step++) last = await env.step(actions);
    const { frame, final } = last!;
    expect(Array.from(final!.rows)).toEqual([1, 3]);
    expect(Array.from(frame.started)).toEqual([0, 1, 0, 1]);
    for (const k of [0, 1]) {
      // 30 steps of free fall.
      expect(row(final!.observations, "policy", k)[2]).toBeCloseTo(-9.81 * 0.3, 5);
      const begun = row(frame.observations, "policy", final!.rows[k]!);
      expect(begun.slice(0, 6)).toEqual([0, 0, 0, 0, 0, 0]);
      expect(begun.slice(9)).not.toEqual(row(final!.observations, "policy", k).slice(9));
    }
    expect(row(frame.observations, "policy", 0)[2]).toBeCloseTo(0, 5);
  }));

test("rewards the state before the reset, never more than 0.3 a step", () =>
  withEnv({ numEnvs: 64 }, async (env) => {
    await env.reset(7);
    let ends = 0;
    for (let step = 0; step < 200; step++) {
      const { frame, final, rewards } = await env.step(livelyActions(64, step));
      const ended = new Map(Array.from(final?.rows ?? [], (i, k) => [i, k] as const));
      ends += ended.size;
      for (let i = 0; i < 64; i++) {
        const k = ended.get(i);
        const observed =
          k === undefined
            ? row(frame.observations, "policy", i)
            : row(final!.observations, "policy", k);
        const { lin_vel, ang_vel, distance_to_goal } = terms(observed);
        expect(rewards[i]).toBeCloseTo(lin_vel + ang_vel + distance_to_goal, 3);
        expect(rewards[i]).toBeLessThanOrEqual(0.3);
      }
    }
    expect(ends).toBeGreaterThan(50);
  }));

test("reaches the bound of the reward at rest at the goal", () =>
  withEnv(
    { numEnvs: 1, settings: { ...still, "goal.xy": [0, 0], "goal.z": [0.5, 0.5] } },
    async (env) => {
      await env.reset(1);
      const { rewards } = await env.step(all(1, [hoverThrust, 0, 0, 0]));
      expect(rewards[0]).toBeCloseTo(0.3, 6);
    },
  ));

test("logs Isaac Lab's figures of the episodes that ended, and only then", () =>
  withEnv({ numEnvs: 6 }, async (env) => {
    await env.reset(11);
    const sums = Array.from({ length: 6 }, () => ({ lin_vel: 0, ang_vel: 0, distance_to_goal: 0 }));
    let logs = 0;
    for (let step = 0; step < 600; step++) {
      const { frame, final, log, terminated, truncated } = await env.step(livelyActions(6, step));
      const rows = Array.from(final?.rows ?? []);
      const seen = (i: number) =>
        rows.includes(i)
          ? row(final!.observations, "policy", rows.indexOf(i))
          : row(frame.observations, "policy", i);
      for (const [i, sum] of sums.entries()) {
        const now = terms(seen(i));
        for (const term of ["lin_vel", "ang_vel", "distance_to_goal"] as const)
          sum[term] += now[term];
      }
      expect(log !== undefined).toBe(rows.length > 0);
      if (log === undefined) continue;
      logs++;
      const mean = (figure: (i: number) => number) =>
        rows.reduce((sum, i) => sum + figure(i), 0) / rows.length;
      for (const term of ["lin_vel", "ang_vel", "distance_to_goal"] as const) {
        const expected = mean((i) => sums[i]![term]) / 10;
        expect(Math.abs(log[`Episode_Reward/${term}`]! / expected - 1)).toBeLessThan(1e-4);
      }
      expect(log["Metrics/final_distance_to_goal"]).toBeCloseTo(
        mean((i) => norm(seen(i).slice(9))),
        5,
      );
      const count = (flags: Uint8Array) => flags.reduce((sum, flag) => sum + flag, 0);
      expect(log["Episode_Termination/died"]).toBe(count(terminated));
      expect(log["Episode_Termination/time_out"]).toBe(count(truncated));
      for (const i of rows) sums[i] = { lin_vel: 0, ang_vel: 0, distance_to_goal: 0 };
    }
    expect(logs).toBeGreaterThan(10);
  }));
