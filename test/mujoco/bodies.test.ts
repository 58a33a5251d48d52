import { afterEach, expect, test } from "vitest";
import { Bodies, gravity } from "../../sim-adapters/mujoco/bodies.ts";

const inertia = [2.1e-5, 2.1e-5, 3.6e-5] as const;
const mass = 0.0282;
const open: Bodies[] = [];

afterEach(() => {
  for (const bodies of open.splice(0)) bodies.close();
});

async function load(count = 1, options: Partial<Parameters<typeof Bodies.load>[0]> = {}) {
  const defaults = { count, timestep: 0.01, mass, inertia, maxAngularVelocity: 1e6 };
  const bodies = await Bodies.load({ ...defaults, ...options });
  open.push(bodies);
  for (let i = 0; i < count; i++) bodies.place(i, 0.5);
  return bodies;
}

function wrench(thrust: number, moment: readonly number[] = [0, 0, 0]) {
  return [Float64Array.of(thrust), Float64Array.from(moment)] as const;
}

/** About `axis`, in rad. */
function tilt(bodies: Bodies, axis: 0 | 1 | 2, angle: number): void {
  bodies.positions[3] = Math.cos(angle / 2);
  bodies.positions[4 + axis] = Math.sin(angle / 2);
}

/** World frame, from a unit quaternion (w, x, y, z). */
function rotate([w, x, y, z]: readonly number[], [a, b, c]: readonly number[]): number[] {
  const [t, u, v] = [2 * (y! * c! - z! * b!), 2 * (z! * a! - x! * c!), 2 * (x! * b! - y! * a!)];
  return [
    a! + w! * t + y! * v - z! * u,
    b! + w! * u + z! * t - x! * v,
    c! + w! * v + x! * u - y! * t,
  ];
}

function rotation(bodies: Bodies): { energy: number; momentum: number[] } {
  const omega = Array.from(bodies.velocities.subarray(3, 6));
  const attitude = Array.from(bodies.positions.subarray(3, 7));
  const inBody = omega.map((rate, axis) => rate * inertia[axis]!);
  const energy = omega.reduce((sum, rate, axis) => sum + (rate * inBody[axis]!) / 2, 0);
  return { energy, momentum: rotate(attitude, inBody) };
}

test("a body without thrust falls: v = -g t, and z as the semi-implicit step sums it", async () => {
  const bodies = await load();
  bodies.step(...wrench(0), 100);
  expect(bodies.velocities[2]).toBeCloseTo(-gravity * 1, 10);
  expect(bodies.positions[2]).toBeCloseTo(0.5 - (gravity * 1e-4 * 100 * 101) / 2, 10);
  // The closed form, off by no more than the integrator's g·t·dt/2.
  expect(Math.abs(bodies.positions[2]! - (0.5 - gravity / 2))).toBeLessThan(gravity * 0.0051);
  expect(Array.from(bodies.velocities.subarray(3))).toEqual([0, 0, 0]);
});

test("a thrust of one weight holds a level body where it is", async () => {
  const bodies = await load();
  bodies.step(...wrench(mass * gravity), 1000);
  expect(Array.from(bodies.positions.subarray(0, 2))).toEqual([0, 0]);
  expect(bodies.positions[2]).toBeCloseTo(0.5, 10);
});

test("the thrust pushes along the body's own z axis", async () => {
  const bodies = await load();
  tilt(bodies, 0, Math.PI / 6);
  bodies.step(...wrench(0.4), 1);
  const push = (0.4 / mass) * 0.01;
  expect(bodies.velocities[0]).toBeCloseTo(0, 12);
  expect(bodies.velocities[1]).toBeCloseTo(-Math.sin(Math.PI / 6) * push, 12);
  expect(bodies.velocities[2]).toBeCloseTo(Math.cos(Math.PI / 6) * push - gravity * 0.01, 12);
});

test("the thrust follows the attitude within one control step", async () => {
  const [together, apart] = [await load(), await load()];
  const spin = wrench(0.4, [1e-3, 0, 0]);
  together.step(...spin, 2);
  apart.step(...spin, 1);
  apart.step(...spin, 1);
  expect(together.velocities).toEqual(apart.velocities);
  expect(together.velocities[1]).not.toBe(0);
});

test.each([0, 1, 2] as const)(
  "a constant moment about axis %i: ω = M t / I, and its angle",
  async (axis) => {
    const bodies = await load();
    const moment = 2e-5;
    const along = [0, 0, 0].map((_, k) => (k === axis ? moment : 0));
    bodies.step(...wrench(mass * gravity, along), 100);
    const rate = moment / inertia[axis];
    const omega = Array.from(bodies.velocities.subarray(3));
    expect(omega[axis]).toBeCloseTo(rate * 1, 9);
    expect(omega.filter((_, k) => k !== axis).every((w) => Math.abs(w) < 1e-12)).toBe(true);
    const angle = 2 * Math.atan2(bodies.positions[4 + axis]!, bodies.positions[3]!);
    expect(angle).toBeCloseTo((rate * 1e-4 * 100 * 101) / 2, 9);
  },
);

test("moments are about the body's axes, however it is turned", async () => {
  const bodies = await load();
  tilt(bodies, 0, Math.PI / 2);
  bodies.step(...wrench(0, [0, 0, 1e-5]), 1);
  expect(bodies.velocities[5]).toBeCloseTo((1e-5 / inertia[2]) * 0.01, 12);
  expect(bodies.velocities[4]).toBeCloseTo(0, 12);
});

test("free tumbling keeps energy and angular momentum to the first order of the time step", async () => {
  const drift = async (timestep: number) => {
    const bodies = await load(1, { timestep });
    bodies.velocities.set([4, -3, 5], 3);
    const before = rotation(bodies);
    bodies.step(...wrench(0), Math.round(1 / timestep));
    const after = rotation(bodies);
    const turned = after.momentum.map((value, k) => value - before.momentum[k]!);
    return [
      Math.abs(after.energy / before.energy - 1),
      Math.hypot(...turned) / Math.hypot(...before.momentum),
    ] as const;
  };
  const [coarse, fine] = [await drift(0.002), await drift(0.001)];
  for (const k of [0, 1] as const) {
    expect(fine[k]).toBeLessThan(0.01);
    expect(fine[k]).toBeGreaterThan(0);
    expect(coarse[k] / fine[k]).toBeGreaterThan(1.8);
    expect(coarse[k] / fine[k]).toBeLessThan(2.2);
  }
});

test("rotation is cut back to the limit, its axis kept", async () => {
  const bodies = await load(1, { maxAngularVelocity: 100 });
  bodies.velocities.set([0, 0, 99.9], 3);
  bodies.step(...wrench(0, [0, 0, 0.01]), 5);
  expect(bodies.velocities[5]).toBeCloseTo(100, 9);
});

test("an upset body stays finite and leaves its neighbours alone", async () => {
  const bodies = await load(2, { maxAngularVelocity: 100 });
  const thrust = Float64Array.of(0.5, mass * gravity);
  const moment = Float64Array.of(0.01, -0.01, 0.01, 0, 0, 0);
  for (let k = 0; k < 20; k++) bodies.step(thrust, moment, 100);
  expect(bodies.positions.every(Number.isFinite)).toBe(true);
  expect(bodies.positions[9]).toBeCloseTo(0.5, 9);
});
