import { expect, test } from "vitest";
import type { ObservationArray } from "../../protocol/frame.ts";
import type { SimulationEnv } from "../../sim-adapters/inside/simulation-env.ts";
import { Bodies, gravity } from "../../sim-adapters/mujoco/bodies.ts";
import { all, livelyActions, row, withEnv } from "./flying.ts";

const task = "quadcopter-random";
const inertia = [2.1e-5, 2.1e-5, 3.6e-5] as const;
const mass = 0.0282;
const still = { random_ages: false };
const fixed = (mass: number, thrust: number, moment: number) => ({
  "random.mass": [mass, mass],
  "random.thrust_to_weight": [thrust, thrust],
  "random.moment_scale": [moment, moment],
});

const ratiosAt = (teacher: ObservationArray, i: number) =>
  Array.from(teacher.slice(15 * i + 12, 15 * i + 15));

/** Position, attitude and velocities after a second of tumbling under thrust. */
async function tumble(own: { mass: number; inertia: readonly number[] }, ratio: number) {
  const bodies = await Bodies.load({ count: 1, timestep: 0.01, maxAngularVelocity: 1e6, ...own });
  try {
    bodies.place(0, 0.5);
    bodies.massRatios[0] = ratio;
    bodies.velocities.set([0.3, -0.2, 0.1, 4, -3, 5]);
    for (let k = 0; k < 50; k++) {
      const moment = Float64Array.of(2e-5 * Math.sin(k), -1e-5, 3e-5 * Math.cos(k));
      bodies.step(Float64Array.of(0.3), moment, 2);
    }
    return [...bodies.positions, ...bodies.velocities];
  } finally {
    bodies.close();
  }
}

test.each([0.7, 1, 1.3])(
  "a mass ratio of %d moves a body as MuJoCo moves one of that mass and inertia",
  async (ratio) => {
    const scaled = await tumble({ mass, inertia }, ratio);
    const own = { mass: mass * ratio, inertia: inertia.map((moment) => moment * ratio) };
    const modelled = await tumble(own, 1);
    for (const [k, value] of modelled.entries()) expect(scaled[k]).toBeCloseTo(value, 9);
    if (ratio === 1) return;
    const nominal = await tumble({ mass, inertia }, 1);
    expect(Math.hypot(...nominal.map((value, k) => value - scaled[k]!))).toBeGreaterThan(0.1);
  },
);

test("says what each group holds: the teacher is told the airframe, the student its last action", () =>
  withEnv({ task }, async ({ spec }) => {
    const { teacher, policy } = spec.observations;
    expect(teacher?.shape).toEqual([15]);
    expect(teacher?.names?.slice(12)).toEqual([
      "ratio.mass",
      "ratio.thrust_to_weight",
      "ratio.moment_scale",
    ]);
    expect(policy?.shape).toEqual([16]);
    expect(policy?.names?.slice(0, 12)).toEqual(teacher?.names?.slice(0, 12));
    expect(policy?.names?.[12]).toBe("last_action.thrust");
  }));

test("draws every episode's airframe anew, uniformly within its ranges, each ratio for itself", () =>
  withEnv({ task, numEnvs: 1000, settings: still }, async (env) => {
    const drawn: number[][] = [];
    let { observations } = await env.reset(1);
    for (let episode = 0; episode < 4; episode++) {
      for (let i = 0; i < 1000; i++) drawn.push(ratiosAt(observations.teacher!, i));
      // A fall of 15 steps ends all episodes at once.
      for (let step = 0; step < 15; step++) {
        observations = (await env.step(all(1000, [-1, 0, 0, 0]))).frame.observations;
      }
    }
    const n = drawn.length;
    const halves = [0.3, 0.2, 0.3];
    const units = drawn.map((ratios) => ratios.map((ratio, k) => (ratio - 1) / halves[k]!));
    expect(new Set(drawn.map(String)).size).toBe(n);
    expect(units.flat().every((unit) => Math.abs(unit) < 1.000001)).toBe(true);
    const mean = (figure: (unit: number[]) => number) =>
      units.reduce((sum, unit) => sum + figure(unit), 0) / n;
    for (const k of [0, 1, 2]) {
      // Uniform on ±1: variance 1/3, fourth moment 1/5; four standard errors.
      expect(Math.abs(mean((unit) => unit[k]!))).toBeLessThan(4 * Math.sqrt(1 / 3 / n));
      const spread = Math.abs(mean((unit) => unit[k]! ** 2) - 1 / 3);
      expect(spread).toBeLessThan(4 * Math.sqrt((1 / 5 - 1 / 9) / n));
      const product = mean((unit) => unit[k]! * unit[(k + 1) % 3]!);
      expect(Math.abs(product)).toBeLessThan(4 / 3 / Math.sqrt(n));
    }
  }));

test("an airframe stays for its episode; the last observation is still of it", () =>
  withEnv({ task, numEnvs: 20 }, async (env) => {
    let { teacher } = (await env.reset(1)).observations;
    let ends = 0;
    for (let step = 0; step < 150; step++) {
      const { frame, final } = await env.step(livelyActions(20, step));
      const ended = Array.from(final?.rows ?? []);
      for (let i = 0; i < 20; i++) {
        const k = ended.indexOf(i);
        const before = ratiosAt(teacher!, i);
        const now = k === -1 ? frame.observations.teacher! : final!.observations.teacher!;
        expect(ratiosAt(now, k === -1 ? i : k)).toEqual(before);
        if (k === -1) continue;
        expect(ratiosAt(frame.observations.teacher!, i)).not.toEqual(before);
        ends++;
      }
      teacher = frame.observations.teacher;
    }
    expect(ends).toBeGreaterThan(20);
  }));

/** Velocities that one control step from rest brings, and the airframes that made them. */
async function kick(env: SimulationEnv, action: readonly number[]) {
  const { numEnvs } = env.spec;
  const before = (await env.reset(7)).observations.teacher!;
  const after = (await env.step(all(numEnvs, action))).frame.observations;
  return Array.from({ length: numEnvs }, (_, i) => ({
    ratios: ratiosAt(before, i),
    velocity: row(after, "teacher", i, 15).slice(0, 6),
  }));
}

test("falls freely whatever its mass, and lifts by the thrust-to-weight ratio drawn", () =>
  withEnv({ task, numEnvs: 50, settings: still }, async (env) => {
    for (const { velocity } of await kick(env, [-1, 0, 0, 0])) {
      expect(velocity[2]).toBeCloseTo(-gravity * 0.02, 6);
    }
    for (const { velocity, ratios } of await kick(env, [0.4, 0, 0, 0])) {
      expect(velocity[2]).toBeCloseTo((1.9 * ratios[1]! * 0.7 - 1) * gravity * 0.02, 6);
    }
  }));

test("turns by the drawn moment over the drawn mass", () =>
  withEnv({ task, numEnvs: 50, settings: still }, async (env) => {
    for (const axis of [0, 1, 2] as const) {
      const action = [0, 0, 0, 0].map((_, k) => (k === axis + 1 ? 0.01 : 0));
      for (const { velocity, ratios } of await kick(env, action)) {
        const rate = (((0.01 * 0.01) / inertia[axis]) * 0.02 * ratios[2]!) / ratios[0]!;
        expect(velocity[3 + axis]! / rate).toBeCloseTo(1, 5);
      }
    }
  }));

test("hovers at the throttle that its thrust-to-weight ratio asks for, light or heavy", async () => {
  for (const [heavy, strong] of [
    [0.7, 1.2],
    [1.3, 0.8],
  ] as const) {
    await withEnv({ task, settings: { ...still, ...fixed(heavy, strong, 1) } }, async (env) => {
      await env.reset(1);
      const throttle = 2 / (1.9 * strong) - 1;
      let last: ObservationArray | undefined;
      for (let step = 0; step < 100; step++) {
        const { frame, terminated } = await env.step(all(1, [throttle, 0, 0, 0]));
        expect(terminated[0]).toBe(0);
        last = frame.observations.teacher;
      }
      for (const value of last!.slice(0, 6)) expect(value).toBeCloseTo(0, 5);
    });
  }
});

/** Motion and goal of 60 lively steps; of those environments that fly about hovering. */
function flight(name: string, settings: Readonly<Record<string, unknown>> = {}) {
  return withEnv({ task: name, numEnvs: 10, settings }, async (env) => {
    const width = env.spec.observations.teacher!.shape[0]!;
    const seen: number[][] = [];
    let { observations } = await env.reset(9);
    for (let step = 0; step < 60; step++) {
      for (const i of [0, 2, 4]) seen.push(row(observations, "teacher", i, width).slice(0, 12));
      observations = (await env.step(livelyActions(10, step))).frame.observations;
    }
    return seen;
  });
}

test("with ranges of [1, 1] it is the nominal quadcopter, bit for bit", async () => {
  expect(await flight(task, fixed(1, 1, 1))).toEqual(await flight("quadcopter-noisy"));
});

test("mass and moment scale count by their quotient alone: nobody can tell them apart", async () => {
  const nominal = await flight(task, fixed(1, 0.9, 1));
  const light = await flight(task, fixed(0.75, 0.9, 0.75));
  for (const [k, values] of nominal.entries()) {
    for (const [c, value] of values.entries()) expect(light[k]![c]).toBeCloseTo(value, 5);
  }
});

test.each<[string, unknown]>([
  ["random.mass", [0, 1]],
  ["random.mass", [1.3, 0.7]],
  ["random.mass", 1],
  ["random.thrust_to_weight", [1, 11]],
  ["random.moment_scale", [1, Number.NaN]],
])("%s = %j is refused by name", async (name, value) => {
  const opening = withEnv({ task, settings: { [name]: value } }, async () => "opened");
  await expect(opening).rejects.toMatchObject({ code: "bad-setting", field: `env.${name}` });
});
